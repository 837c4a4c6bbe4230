using System.Runtime.Intrinsics;

namespace LoraFhe.Cryptography.Client;

/// <summary>The one place that asks the processor what it can do.</summary>
internal static unsafe class ClientKernels
{
    private static readonly Lazy<ClientKernel> Chosen = new(Choose);

    /// <summary>The widest kernel of this processor that agrees with the plain one.</summary>
    public static ClientKernel Best => Chosen.Value;

    /// <summary>Whether this processor has vector instructions that .NET uses.</summary>
    public static bool HasVectors => Vector128.IsHardwareAccelerated;

    /// <summary>All vector kernels this processor runs, the widest first.</summary>
    public static IEnumerable<ClientKernel> Supported()
    {
        if (Avx512Lanes.IsSupported)
        {
            yield return new LaneKernel<Avx512Lanes, Vector512<uint>>();
        }

        if (Avx2Lanes.IsSupported)
        {
            yield return new LaneKernel<Avx2Lanes, Vector256<uint>>();
        }

        yield return new LaneKernel<PortableLanes, Vector256<uint>>();
    }

    private static ClientKernel Choose()
    {
        var expected = KernelProbe.Run(new ReferenceKernel());
        foreach (var kernel in Supported())
        {
            if (KernelProbe.Run(kernel).AsSpan().SequenceEqual(expected))
            {
                return kernel;
            }
        }

        throw Errors.NoKernel();
    }
}
