using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests;

/// <summary>Compares with recorded values; a failure names what was compared, the largest difference and where it is.</summary>
internal static class Close
{
    /// <summary>Every element is within the tolerance, and the shapes are equal.</summary>
    /// <param name="tolerance">The largest difference that may be.</param>
    /// <param name="expected">The recorded tensor.</param>
    /// <param name="actual">Ours, on any device; compared in double precision.</param>
    /// <param name="what">The case and the tensor, for the message.</param>
    public static void Within(double tolerance, Tensor expected, Tensor actual, string what)
    {
        using var scope = NewDisposeScope();
        Assert.True(expected.shape.SequenceEqual(actual.shape), $"{what}: [{string.Join(", ", actual.shape)}], recorded [{string.Join(", ", expected.shape)}]");
        if (expected.numel() == 0)
        {
            return;
        }

        var difference = (expected.to(float64) - actual.detach().cpu().to(float64)).abs().flatten();
        var (largest, index) = (difference.max().item<double>(), difference.argmax().item<long>());

        // Not-a-number is the largest of all to torch, and within nothing.
        Assert.True(largest <= tolerance, $"{what}: off by {largest:g3} at [{string.Join(", ", Place(index, expected.shape))}], tolerance {tolerance:g3}");
    }

    /// <summary>The same where a mask is not 0.</summary>
    /// <param name="mask">Of the tensors' first two dimensions.</param>
    /// <param name="tolerance">The largest difference that may be.</param>
    /// <param name="expected">The recorded tensor.</param>
    /// <param name="actual">Ours.</param>
    /// <param name="what">The case and the tensor, for the message.</param>
    public static void Where(Tensor mask, double tolerance, Tensor expected, Tensor actual, string what)
    {
        using var scope = NewDisposeScope();
        var kept = mask.ne(0).unsqueeze(-1);
        Within(tolerance, expected.where(kept, zeros_like(expected)), actual.where(kept, zeros_like(actual)), what);
    }

    /// <summary>A number is within the tolerance.</summary>
    /// <param name="tolerance">The largest difference that may be.</param>
    /// <param name="expected">The recorded number.</param>
    /// <param name="actual">Ours.</param>
    /// <param name="what">The case and the number, for the message.</param>
    public static void Within(double tolerance, double expected, double actual, string what) =>
        Assert.True(Math.Abs(expected - actual) <= tolerance, $"{what}: {actual:g17}, recorded {expected:g17}, tolerance {tolerance:g3}");

    private static long[] Place(long index, long[] shape)
    {
        var place = new long[shape.Length];
        for (var dimension = shape.Length - 1; dimension >= 0; dimension--)
        {
            (index, place[dimension]) = Math.DivRem(index, shape[dimension]);
        }

        return place;
    }
}
