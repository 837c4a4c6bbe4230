using System.Globalization;
using System.Text;

namespace LoraFhe.Tools.Pages;

/// <summary>A picture of plots. Plain SVG: a plot library would bring native code and a font for a few frames.</summary>
internal sealed class Picture
{
    private const double Left = 90;
    private const double Right = 20;
    private readonly StringBuilder _svg = new();
    private readonly int _width;

    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <param name="title">Above all plots.</param>
    public Picture(int width, int height, string title)
    {
        _width = width;
        Line($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">""");
        Line($"""<rect width="{width}" height="{height}" fill="#fff"/>""");
        Line($"""<text x="{width / 2}" y="24" text-anchor="middle" font-size="16">{title}</text>""");
    }

    private double FrameWidth => _width - Left - Right;

    /// <summary>Names the curves, in a row under the title.</summary>
    public void Legend(IReadOnlyList<Curve> curves)
    {
        for (var i = 0; i < curves.Count; i++)
        {
            var x = Left + (i * FrameWidth / curves.Count);
            Line($"""<path d="M{x} 46h34" fill="none" {curves[i].Style}/><text x="{x + 42}" y="50">{curves[i].Label}</text>""");
        }
    }

    /// <summary>Draws a frame with curves.</summary>
    /// <param name="top">Downwards from the picture's top.</param>
    /// <param name="height">Of the frame, in pixels.</param>
    /// <param name="valueLabel">At the left side.</param>
    /// <param name="curves">What is drawn.</param>
    public void Frame(double top, double height, string valueLabel, IReadOnlyCollection<Curve> curves) =>
        new Panel(_svg, Left, top, FrameWidth, height, curves).Draw(valueLabel, curves);

    /// <summary>Writes a text under a frame, in its middle.</summary>
    public void Caption(double bottom, string text) =>
        Line($"""<text x="{Left + (FrameWidth / 2)}" y="{bottom}" text-anchor="middle">{text}</text>""");

    /// <summary>The whole file.</summary>
    public override string ToString() => $"{_svg}</svg>\n";

    private void Line(FormattableString line) => _svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
