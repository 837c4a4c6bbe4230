using System.Globalization;
using System.Text;

namespace LoraFhe.Tools.Pages;

/// <summary>A frame of a plot with axes, drawn as SVG: where values were taken to the right, values upwards.</summary>
internal sealed class Panel
{
    private const int Ticks = 6;
    private readonly StringBuilder _svg;
    private readonly double _left, _top, _width, _height, _first, _last, _least, _most, _spacing;

    /// <param name="svg">Where it is drawn.</param>
    /// <param name="left">Of the frame, as the next three.</param>
    /// <param name="top">Downwards from the picture's top.</param>
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <param name="curves">What it must have room for.</param>
    public Panel(StringBuilder svg, double left, double top, double width, double height, IReadOnlyCollection<Curve> curves)
    {
        (_svg, _left, _top, _width, _height) = (svg, left, top, width, height);
        (_first, _last) = (curves.Min(curve => curve.At.Min()), curves.Max(curve => curve.At.Max()));
        var (least, most) = (curves.Min(curve => curve.Values.Min()), curves.Max(curve => curve.Values.Max()));
        _spacing = Spacing(most > least ? most - least : 1);
        (_least, _most) = (Math.Floor(least / _spacing) * _spacing, Math.Ceiling(most / _spacing) * _spacing);
        _most = Math.Max(_most, _least + _spacing);
    }

    public void Draw(string valueLabel, IEnumerable<Curve> curves)
    {
        for (var i = 0; i <= (int)Math.Round((_most - _least) / _spacing); i++)
        {
            var value = _least + (i * _spacing);
            Line($"""<path d="M{_left:F1} {Y(value):F1}h{_width:F1}" stroke="#ddd"/><text x="{_left - 8:F1}" y="{Y(value) + 4:F1}" text-anchor="end">{Label(value)}</text>""");
        }

        var spacing = Math.Max(1, Spacing(_last - _first + 1));
        for (var at = spacing; at <= _last; at += spacing)
        {
            Line($"""<path d="M{X(at):F1} {_top + _height:F1}v4" stroke="#444"/><text x="{X(at):F1}" y="{_top + _height + 18:F1}" text-anchor="middle">{at}</text>""");
        }

        Line($"""<rect x="{_left:F1}" y="{_top:F1}" width="{_width:F1}" height="{_height:F1}" fill="none" stroke="#444"/>""");
        Line($"""<text transform="translate({_left - 62:F1} {_top + (_height / 2):F1}) rotate(-90)" text-anchor="middle">{valueLabel}</text>""");
        foreach (var curve in curves)
        {
            var points = string.Join(' ', curve.Values.Select((value, i) => string.Create(CultureInfo.InvariantCulture, $"{X(curve.At[i]):F1},{Y(value):F1}")));
            Line($"""<polyline points="{points}" fill="none" stroke-linejoin="round" {curve.Style}/>""");
        }
    }

    private string Label(double value) => Math.Abs(value) < _spacing / 2 ? "0" : value.ToString(_spacing < 1e-3 ? "0.#E+0" : "0.####", CultureInfo.InvariantCulture);

    /// <summary>1, 2 or 5 times a power of ten, so that a range has about six ticks.</summary>
    private static double Spacing(double range)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(range / Ticks)));
        return new[] { 1, 2, 5, 10 }.Select(factor => factor * power).First(spacing => range / spacing <= Ticks + 1);
    }

    private double X(double at) => _left + (_width * (at - _first) / Math.Max(1, _last - _first));

    private double Y(double value) => _top + (_height * (_most - value) / (_most - _least));

    private void Line(FormattableString line) => _svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
