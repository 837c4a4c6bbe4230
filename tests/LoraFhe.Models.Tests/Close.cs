using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>Compares tensors with recorded ones.</summary>
internal static class Close
{
    /// <summary>The largest distance is within the tolerance, and the shapes are equal.</summary>
    public static void Within(double tolerance, Tensor expected, Tensor actual, string what)
    {
        Assert.Equal(expected.shape, actual.shape);
        var distance = (expected - actual).abs().max().AsDouble();
        Assert.True(distance <= tolerance, $"{what}: off by {distance}, tolerance {tolerance}");
    }

    /// <summary>The same where a mask is not 0.</summary>
    public static void Where(Tensor mask, double tolerance, Tensor expected, Tensor actual, string what)
    {
        Assert.Equal(expected.shape, actual.shape);
        var kept = mask.ne(0).flatten();
        Within(tolerance, expected.flatten(0, 1)[kept], actual.flatten(0, 1)[kept], what);
    }

    private static double AsDouble(this Tensor scalar) => scalar.to(float64).item<double>();
}
