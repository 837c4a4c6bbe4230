using ScottPlot;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>The loss curves as a PNG.</summary>
internal static class LossPlot
{
    private const int Width = 900;
    private const int Height = 500;
    private const string Family = "Roboto";

    /// <summary>Writes the picture.</summary>
    public static void Save(string file, string title, IReadOnlyList<(string Label, IReadOnlyList<double> Losses)> curves)
    {
        // A bare Linux system has no font at all: the one that ships with the sample draws the text.
        Fonts.AddFontFile(Family, Path.Combine(AppContext.BaseDirectory, "Fonts", "Roboto-Regular.ttf"), bold: false, italic: false);
        using var plot = new Plot();
        foreach (var (label, losses) in curves)
        {
            var line = plot.Add.Scatter(Enumerable.Range(1, losses.Count).Select(i => (double)i).ToArray(), losses.ToArray());
            line.LegendText = label;
            line.MarkerSize = 0;
            line.LineWidth = 2;

            // Where the curves lie on one another, both are seen.
            line.LinePattern = curves.Count > 1 && label == curves[^1].Label ? LinePattern.Dashed : LinePattern.Solid;
        }

        plot.Title(title);
        plot.Axes.Title.Label.Bold = false;
        plot.XLabel("step");
        plot.YLabel("loss (nats a token)");
        plot.Axes.Bottom.Label.Bold = false;
        plot.Axes.Left.Label.Bold = false;
        plot.Font.Set(Family);
        plot.ShowLegend(Alignment.UpperRight);
        plot.Legend.FontName = Family;
        plot.SavePng(file, Width, Height);
    }
}
