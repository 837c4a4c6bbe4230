using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>Compares tensors.</summary>
internal static class Close
{
    /// <summary>The largest distance is within the tolerance, and the shapes are equal.</summary>
    public static void Within(double tolerance, Tensor expected, Tensor actual, string what)
    {
        Assert.Equal(expected.shape, actual.shape);
        var distance = (expected - actual).abs().max().to(float64).item<double>();
        Assert.True(distance <= tolerance, $"{what}: off by {distance}, tolerance {tolerance}");
    }
}
