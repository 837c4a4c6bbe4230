using System.Globalization;
using System.Text;

namespace LoraFhe.Tools.Soak;

/// <summary>The loss curves of a fine-tuning above how far each is from the recorded one. Plain SVG: a plot library would bring native code and a font for two frames.</summary>
internal static class LossPlot
{
    private const int Width = 860;
    private const int Height = 640;
    private const double Left = 90;
    private const double FrameWidth = Width - Left - 20;

    private static readonly Dictionary<HybridFheMode, string> Styles = new()
    {
        [HybridFheMode.Torch] = "stroke=\"#1f77b4\" stroke-width=\"2\"",
        [HybridFheMode.Disable] = "stroke=\"#2ca02c\" stroke-width=\"4\" stroke-opacity=\"0.5\"",
        [HybridFheMode.Simulate] = "stroke=\"#9467bd\" stroke-width=\"2\" stroke-dasharray=\"2 5\"",
        [HybridFheMode.Execute] = "stroke=\"#d62728\" stroke-width=\"2\" stroke-dasharray=\"8 5\"",
    };

    public static string Svg(Comparison comparison)
    {
        var recorded = new Curve("recorded (peft)", comparison.Recorded, "stroke=\"#000\" stroke-width=\"7\" stroke-opacity=\"0.18\"");
        var modes = comparison.Modes.Select(mode => new Curve(mode.Mode.ToPythonName(), mode.Losses, Styles[mode.Mode])).ToList();
        var distances = modes.Select(mode => mode with { Values = [.. mode.Values.Zip(recorded.Values, (ours, theirs) => ours - theirs)] }).ToList();
        Curve[] losses = [recorded, .. modes];

        var svg = new StringBuilder();
        Line(svg, $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="13">""");
        Line(svg, $"""<rect width="{Width}" height="{Height}" fill="#fff"/>""");
        Line(svg, $"""<text x="{Width / 2}" y="24" text-anchor="middle" font-size="16">LoRA fine-tuning of {comparison.Subject.Title}</text>""");
        Legend(svg, losses);
        new Panel(svg, Left, 64, FrameWidth, 320, losses).Draw("loss (nats a token)", losses);
        new Panel(svg, Left, 420, FrameWidth, 160, distances).Draw("loss − recorded", distances);
        Line(svg, $"""<text x="{Left + (FrameWidth / 2)}" y="{Height - 16}" text-anchor="middle">step</text>""");
        Line(svg, $"</svg>");
        return svg.ToString();
    }

    private static void Legend(StringBuilder svg, Curve[] curves)
    {
        for (var i = 0; i < curves.Length; i++)
        {
            var x = Left + (i * FrameWidth / curves.Length);
            Line(svg, $"""<path d="M{x} 46h34" fill="none" {curves[i].Style}/><text x="{x + 42}" y="50">{curves[i].Label}</text>""");
        }
    }

    private static void Line(StringBuilder svg, FormattableString line) => svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
