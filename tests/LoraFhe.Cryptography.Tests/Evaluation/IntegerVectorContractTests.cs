using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using CsCheck;

namespace LoraFhe.Cryptography.Tests;

/// <summary>Each operation of each vector against its scalar form, on the edges of its stated range.</summary>
public sealed unsafe class IntegerVectorContractTests
{
    private const uint Q = EncryptedLinearParameters.Modulus;
    private const int Half = EncryptedLinearParameters.HalfModulus;

    private static readonly Gen<int> Word = Gen.OneOf(Gen.Int[-Half, Half], Gen.OneOfConst(Half, -Half, 0, 0x7fff, 0x8000, -0x8000, -0x8001, 0x17fff));
    private static readonly Gen<uint> Residue = Gen.OneOf(Gen.UInt[0, Q - 1], Gen.OneOfConst(0u, Q - 1, (uint)Half, (uint)Half + 1));

    // Any two halves, and the four extreme ones: (−2¹⁵)² twice wraps.
    private static readonly Gen<int> Halves = Gen.OneOf(Gen.Int, Gen.OneOfConst(int.MinValue + 0x8000, int.MinValue, int.MaxValue, 0x7fff, 0x8000, -1));

    public static TheoryData<string> Names =>
    [
        .. Avx512BW.IsSupported ? ["Avx512"] : Array.Empty<string>(),
        .. Avx2.IsSupported ? ["Avx2"] : Array.Empty<string>(),
        "Portable512", "Portable256", "Portable128",
    ];

    public static TheoryData<string> PairSums => AvxVnni.IsSupported ? ["Portable256", "AvxVnni"] : ["Portable256"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Limbs_of_a_word_recombine_to_it_and_pairs_lie_side_by_side(string kernel) =>
        Word.Array[16].Sample(words =>
        {
            var packed = Run(kernel, new SplitLimbs(), words, words, words);
            for (var i = 0; i < 16; i += 2)
            {
                Assert.Equal(words[i], (short)packed[i] + ((short)packed[i + 1] * 65536));
                Assert.Equal(words[i + 1], (packed[i] >> 16) + ((packed[i + 1] >> 16) * 65536));
            }
        });

    [Theory]
    [MemberData(nameof(Names))]
    public void Pair_products_are_sums_of_two_16_bit_products(string kernel) =>
        Gen.Select(Halves.Array[16], Halves.Array[16]).Sample((a, b) =>
        {
            var result = Run(kernel, new MultiplyPairs(), a, b, b);
            for (var i = 0; i < 16; i++)
            {
                Assert.Equal(unchecked(((short)a[i] * (short)b[i]) + ((a[i] >> 16) * (b[i] >> 16))), result[i]);
            }
        });

    [Theory]
    [MemberData(nameof(Names))]
    public void Sums_of_lanes_wrap(string kernel) =>
        Gen.Select(Gen.Int.Array[16], Gen.Int.Array[16]).Sample((a, b) =>
            Assert.Equal(a.Zip(b, (x, y) => unchecked(x + y)), Run(kernel, new AddLanes(), a, b, b)));

    [Theory]
    [MemberData(nameof(Names))]
    public void Sums_of_limbs_recombine_modulo_q(string kernel)
    {
        const int bound = KernelBlocks.MaxAbsoluteSum;
        var low = Gen.OneOf(Gen.Int[-bound << 15, bound << 15], Gen.OneOfConst(-bound << 15, bound << 15, 0, -1));
        var high = Gen.OneOf(Gen.Int[-bound << 14, bound << 14], Gen.OneOfConst(-bound << 14, bound << 14, 0, -1, 0x7fff, -0x8000));
        Gen.Select(low.Array[16], high.Array[16]).Sample((lows, highs) =>
        {
            var result = Run(kernel, new Recombine(), lows, highs, highs);
            for (var i = 0; i < 16; i++)
            {
                Assert.Equal(Modular.FromCentered(Modular.Reduce(lows[i] + (65536L * highs[i]))), (uint)result[i]);
            }
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Modular_sums_and_centering_are_the_scalar_ones(string kernel) =>
        Gen.Select(Residue.Array[16], Residue.Array[16]).Sample((a, b) =>
        {
            var (x, y) = (a.Select(v => (int)v).ToArray(), b.Select(v => (int)v).ToArray());
            Assert.Equal(a.Zip(b, Modular.Add), Run(kernel, new AddModular(), x, y, y).Select(v => (uint)v));
            Assert.Equal(a.Select(Modular.Center), Run(kernel, new CenterWords(), x, x, x));
        });

    [Theory]
    [MemberData(nameof(Names))]
    public void A_broadcast_fills_every_lane_and_zero_is_zero(string kernel)
    {
        Assert.All(Run(kernel, new BroadcastFirst(), [-7], new int[16], new int[16]), lane => Assert.Equal(-7, lane));
    }

    [Theory]
    [MemberData(nameof(PairSums))]
    public void A_pair_sum_is_the_sum_and_both_products_modulo_two_to_the_32(string name) =>
        Gen.Select(Gen.Int.Array[16], Halves.Array[16], Halves.Array[16]).Sample((sums, a, b) =>
        {
            var result = name == "AvxVnni"
                ? AddPairs<Avx2Vector, AvxVnniPairSum>(sums, a, b)
                : AddPairs<Portable256Vector, PairSum<Portable256Vector>>(sums, a, b);
            for (var i = 0; i < 16; i++)
            {
                Assert.Equal(unchecked(sums[i] + ((short)a[i] * (short)b[i]) + ((a[i] >> 16) * (b[i] >> 16))), result[i]);
            }
        });

    [Fact]
    public void The_kernel_of_this_machine_is_the_widest_that_it_has()
    {
        var expected = Avx512BW.IsSupported ? "Avx512"
            : AvxVnni.IsSupported ? "AvxVnni"
            : Avx2.IsSupported ? "Avx2"
            : AdvSimd.Arm64.IsSupported ? "AdvSimd"
            : Vector256.IsHardwareAccelerated ? "Portable256" : "Portable128";
        Assert.Equal(expected, GemmKernels.Available()[0].Name);
    }

    private interface IOperation
    {
        TVector Apply<TVector>(TVector a, TVector b, TVector c)
            where TVector : unmanaged, IIntegerVector<TVector>;
    }

    private static int[] Run<TOperation>(string kernel, TOperation operation, int[] a, int[] b, int[] c)
        where TOperation : struct, IOperation => kernel switch
        {
            "Avx512" => Run<Avx512Vector, TOperation>(operation, a, b, c),
            "Portable512" => Run<Portable512Vector, TOperation>(operation, a, b, c),
            "Avx2" => Run<Avx2Vector, TOperation>(operation, a, b, c),
            "Portable256" => Run<Portable256Vector, TOperation>(operation, a, b, c),
            "Portable128" => Run<Portable128Vector, TOperation>(operation, a, b, c),
            _ => throw new ArgumentException($"'{kernel}' has no vector in these tests.", nameof(kernel)),
        };

    private static int[] Run<TVector, TOperation>(TOperation operation, int[] a, int[] b, int[] c)
        where TVector : unmanaged, IIntegerVector<TVector>
        where TOperation : struct, IOperation
    {
        Assert.Equal(0, 16 % TVector.Lanes);
        var result = new int[16];
        fixed (int* x = a, y = b, z = c, r = result)
        {
            for (var i = 0; i < 16; i += TVector.Lanes)
            {
                var first = a.Length == 1 ? TVector.Broadcast(a[0]) : TVector.Load(x + i);
                TVector.Store(operation.Apply(first, TVector.Load(y + i), TVector.Load(z + i)), r + i);
            }
        }

        return result;
    }

    private static int[] AddPairs<TVector, TPairSum>(int[] sums, int[] a, int[] b)
        where TVector : unmanaged, IIntegerVector<TVector>
        where TPairSum : struct, IPairSum<TVector>
    {
        var result = new int[16];
        fixed (int* x = sums, y = a, z = b, r = result)
        {
            for (var i = 0; i < 16; i += TVector.Lanes)
            {
                TVector.Store(TPairSum.Add(TVector.Load(x + i), TVector.Load(y + i), TVector.Load(z + i)), r + i);
            }
        }

        return result;
    }

    private readonly struct SplitLimbs : IOperation
    {
        TVector IOperation.Apply<TVector>(TVector a, TVector b, TVector c) => TVector.SplitLimbs(a);
    }

    private readonly struct MultiplyPairs : IOperation
    {
        TVector IOperation.Apply<TVector>(TVector a, TVector b, TVector c) => TVector.MultiplyPairs(a, b);
    }

    private readonly struct AddLanes : IOperation
    {
        TVector IOperation.Apply<TVector>(TVector a, TVector b, TVector c) => TVector.Add(a, b);
    }

    private readonly struct Recombine : IOperation
    {
        TVector IOperation.Apply<TVector>(TVector a, TVector b, TVector c) => TVector.Recombine(a, b);
    }

    private readonly struct AddModular : IOperation
    {
        TVector IOperation.Apply<TVector>(TVector a, TVector b, TVector c) => TVector.AddModular(a, b);
    }

    private readonly struct CenterWords : IOperation
    {
        TVector IOperation.Apply<TVector>(TVector a, TVector b, TVector c) => TVector.Center(a);
    }

    private readonly struct BroadcastFirst : IOperation
    {
        TVector IOperation.Apply<TVector>(TVector a, TVector b, TVector c) => TVector.Add(a, TVector.Zero);
    }
}
