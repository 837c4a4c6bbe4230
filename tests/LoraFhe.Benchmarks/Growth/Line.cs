namespace LoraFhe.Benchmarks;

/// <summary>A line through measured points.</summary>
internal static class Line
{
    /// <summary>The line of least squares.</summary>
    /// <returns>Its value at 0, and its slope.</returns>
    public static (double Start, double Slope) Through(IReadOnlyList<double> at, IReadOnlyList<double> values)
    {
        var (meanAt, mean) = (at.Average(), values.Average());
        var slope = at.Zip(values, (x, y) => (x - meanAt) * (y - mean)).Sum() / at.Sum(x => (x - meanAt) * (x - meanAt));
        return (mean - (slope * meanAt), slope);
    }

    /// <summary>With which power values grow: the slope of their logarithms. 1 is linear.</summary>
    public static double Power(IReadOnlyList<double> at, IReadOnlyList<double> values) =>
        Through([.. at.Select(x => Math.Log(x))], [.. values.Select(y => Math.Log(y))]).Slope;
}
