namespace LoraFhe.Tools.Soak;

/// <summary>A line of a plot: a value a step.</summary>
/// <param name="Label">Its name in the legend.</param>
/// <param name="Values">From step 1 on.</param>
/// <param name="Style">SVG attributes: color, width, dashes.</param>
internal sealed record Curve(string Label, IReadOnlyList<double> Values, string Style);
