using System.Runtime.Intrinsics;

namespace LoraFhe.Cryptography.Client;

/// <summary>The one place that asks the processor what it can do.</summary>
internal static unsafe class ClientKernels
{
    private static readonly Lazy<KernelChoice<ClientKernel>> LazyChoice = new(static () => Choose([.. Supported()]));

    /// <summary>The widest kernel of this processor that agrees with the plain one, tried once; and those that do not.</summary>
    /// <exception cref="InvalidOperationException">None does.</exception>
    public static KernelChoice<ClientKernel> Choice => LazyChoice.Value;

    /// <summary>The chosen kernel.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static ClientKernel Best => Choice.Kernel;

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

        yield return new LaneKernel<Portable256Lanes, Vector256<uint>>();

        // The AVX-512 kernel's layout, on a processor that lacks the instructions.
        yield return new LaneKernel<Portable512Lanes, Vector512<uint>>();
    }

    /// <summary>The first kernel that gives the plain one's bits: a processor on which one miscomputes falls back to the next.</summary>
    /// <exception cref="InvalidOperationException">None gives them.</exception>
    public static KernelChoice<ClientKernel> Choose(IReadOnlyList<ClientKernel> candidates)
    {
        var expected = KernelProbe.Run(new ReferenceKernel());
        return KernelChoice<ClientKernel>.First(candidates, static kernel => kernel.Name, kernel => KernelProbe.Run(kernel).AsSpan().SequenceEqual(expected))
            ?? throw Errors.NoKernel(string.Join(", ", candidates.Select(static kernel => kernel.Name)));
    }
}
