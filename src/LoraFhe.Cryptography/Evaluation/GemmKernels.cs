using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace LoraFhe.Cryptography;

/// <summary>Which kernels this machine can run, and the one that is used. The only place that asks for instruction sets.</summary>
internal static class GemmKernels
{
    private static readonly Lazy<KernelChoice<IntegerGemm>> LazyChoice = new(() => Choose(Available()));

    /// <summary>The kernel that this process uses: the fastest that gave right answers when it was tried, once; and those that did
    /// not.</summary>
    /// <exception cref="InvalidOperationException">None did.</exception>
    public static KernelChoice<IntegerGemm> Choice => LazyChoice.Value;

    /// <summary>The kernels this machine can run, the fastest first. The portable ones run on every machine.</summary>
    public static IReadOnlyList<IntegerGemm> Available()
    {
        var kernels = new List<IntegerGemm>();
        if (Avx512BW.IsSupported)
        {
            kernels.Add(new IntegerGemmDriver<Avx512Vector, Tile2x4<Avx512Vector>>("Avx512", strassenInputs: 1024));
        }

        // After AVX-512: two of these begin a cycle, as many products as the 512-bit pair of instructions gives where that takes two
        // ports (Intel), half as many where additions have their own (Zen 5); and there are half as many registers.
        if (AvxVnni.IsSupported)
        {
            kernels.Add(new IntegerGemmDriver<Avx2Vector, FusedTile3x2<Avx2Vector, AvxVnniPairSum>>("AvxVnni", strassenInputs: 1024));
        }

        if (Avx2.IsSupported)
        {
            kernels.Add(new IntegerGemmDriver<Avx2Vector, Tile2x2<Avx2Vector>>("Avx2"));
        }

        if (AdvSimd.Arm64.IsSupported)
        {
            kernels.Add(new IntegerGemmDriver<Portable128Vector, AdvSimdTile>("AdvSimd"));
        }

        IntegerGemm wide = new IntegerGemmDriver<Portable256Vector, Tile2x2<Portable256Vector>>("Portable256");
        IntegerGemm narrow = new IntegerGemmDriver<Portable128Vector, Tile2x2<Portable128Vector>>("Portable128");
        kernels.AddRange(Vector256.IsHardwareAccelerated ? [wide, narrow] : [narrow, wide]);

        // The AVX-512 kernel's layout and tile, on a machine that lacks the instructions.
        kernels.Add(new IntegerGemmDriver<Portable512Vector, Tile2x4<Portable512Vector>>("Portable512"));
        return kernels;
    }

    /// <summary>The first kernel that passes <see cref="KernelCheck"/>: a machine on which one miscomputes falls back to the
    /// next.</summary>
    /// <exception cref="InvalidOperationException">None passes.</exception>
    public static KernelChoice<IntegerGemm> Choose(IReadOnlyList<IntegerGemm> candidates) =>
        KernelChoice<IntegerGemm>.First(candidates, kernel => kernel.Name, KernelCheck.Passes)
            ?? throw Errors.NoKernel(string.Join(", ", candidates.Select(kernel => kernel.Name)));
}
