namespace LoraFhe.Tools.Pages;

/// <summary>A line of a plot.</summary>
/// <param name="Label">Its name in the legend.</param>
/// <param name="Values">Upwards.</param>
/// <param name="Style">SVG attributes: color, width, dashes.</param>
internal sealed record Curve(string Label, IReadOnlyList<double> Values, string Style)
{
    /// <summary>Where each value lies to the right; a value a step, from step 1 on, unless set.</summary>
    public IReadOnlyList<double> At { get; init; } = [.. Enumerable.Range(1, Values.Count).Select(step => (double)step)];
}
