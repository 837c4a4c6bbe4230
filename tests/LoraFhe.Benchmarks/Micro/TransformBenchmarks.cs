using BenchmarkDotNet.Attributes;
using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;

namespace LoraFhe.Benchmarks;

/// <summary>One polynomial's number-theoretic transform, by every kernel this machine runs.</summary>
public class TransformBenchmarks
{
    private ClientKernel? _kernel;
    private uint[] _values = [];

    /// <summary>The kernels this machine runs.</summary>
    public static IEnumerable<string> Kernels => ClientBenchmarks.Kernels;

    /// <summary>Which of them.</summary>
    [ParamsSource(nameof(Kernels))]
    public string Kernel { get; set; } = "";

    /// <summary>Coefficients.</summary>
    [Params(EncryptedLinearParameters.MinRingDegree, EncryptedLinearParameters.MaxRingDegree)]
    public int Degree { get; set; }

    /// <summary>Makes a polynomial.</summary>
    [GlobalSetup]
    public void Prepare()
    {
        var random = new Random(7);
        _kernel = ClientKernels.Supported().Single(kernel => kernel.Name == Kernel);
        _values = [.. Enumerable.Range(0, Degree).Select(_ => (uint)random.NextInt64(Modular.Modulus))];
    }

    /// <summary>Coefficients to values, in place.</summary>
    [Benchmark]
    [ExpectedAllocation(0)]
    public unsafe void Transform()
    {
        fixed (uint* values = _values)
        {
            _kernel!.Transform(values, Degree);
        }
    }
}
