namespace LoraFhe.Samples.FineTuneText;

/// <summary>A curve in one line of text.</summary>
internal static class Sparkline
{
    private const string Bars = "▁▂▃▄▅▆▇█";

    /// <summary>Draws the values, averaged into at most <paramref name="width"/> columns.</summary>
    public static string Draw(IReadOnlyList<double> values, int width)
    {
        if (values.Count == 0)
        {
            return "";
        }

        var columns = Math.Min(width, values.Count);
        var means = Enumerable.Range(0, columns)
            .Select(c => values.Skip(c * values.Count / columns).Take(Math.Max(1, ((c + 1) * values.Count / columns) - (c * values.Count / columns))).Average())
            .ToArray();
        var (least, most) = (means.Min(), means.Max());
        return string.Concat(means.Select(v => Bars[most > least ? (int)Math.Round((v - least) / (most - least) * (Bars.Length - 1)) : 0]));
    }
}
