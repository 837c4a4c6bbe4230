using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>Tensors for the tests of hybrid execution.</summary>
internal static class HybridData
{
    /// <summary>A recorded tensor.</summary>
    public static Tensor ToTensor(this GoldenTensor<float> golden) => tensor(golden.Values).reshape(golden.Shape);

    /// <summary>Standard normal values from a seed; torch's own generator is not touched.</summary>
    public static Tensor Normal(int seed, params long[] shape)
    {
        using var generator = new Generator((ulong)seed);
        return randn(shape, generator: generator);
    }

    /// <summary>A tensor's values, row-major.</summary>
    public static float[] Values(this Tensor tensor) => tensor.numel() == 0 ? [] : tensor.detach().contiguous().data<float>().ToArray();

    /// <summary>‖a − b‖ / ‖b‖.</summary>
    public static double RelativeDistance(Tensor actual, Tensor expected)
    {
        double error = 0, norm = 0;
        foreach (var (a, b) in actual.Values().Zip(expected.Values()))
        {
            error += ((double)a - b) * ((double)a - b);
            norm += (double)b * b;
        }

        return Math.Sqrt(error / norm);
    }

    /// <summary>Equal bits.</summary>
    public static void AssertSame(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.Equal(expected.Values(), actual.Values());
    }

    /// <summary>Equal shapes, and values within an absolute tolerance.</summary>
    public static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        foreach (var (e, a) in expected.Values().Zip(actual.Values()))
        {
            Assert.InRange(a, e - tolerance, e + tolerance);
        }
    }
}
