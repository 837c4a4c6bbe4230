using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LoraFhe.Cryptography;

/// <summary>Products and their sum in one instruction, <c>vpdpwssd</c> on 256 bits (Alder Lake, Zen 5).</summary>
internal readonly struct AvxVnniPairSum : IPairSum<Avx2Vector>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx2Vector Add(Avx2Vector sum, Avx2Vector a, Avx2Vector b) =>
        new(AvxVnni.MultiplyWideningAndAdd(sum.Value, a.Value.AsInt16(), b.Value.AsInt16()));
}
