using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LoraFhe.Cryptography;

/// <summary>Eight lanes of one AVX2 register; a pair product is one <c>vpmaddwd</c>.</summary>
internal readonly unsafe struct Avx2Vector : IIntegerVector<Avx2Vector>
{
    private readonly Vector256<int> _value;

    /// <summary>Wraps a register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Avx2Vector(Vector256<int> value) => _value = value;

    /// <summary>The register.</summary>
    public Vector256<int> Value
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _value;
    }

    /// <inheritdoc/>
    public static int Lanes => 8;

    /// <inheritdoc/>
    public static Avx2Vector Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector256<int>.Zero);
    }

    private static Vector256<int> Modulus => Vector256.Create((int)Modular.Modulus);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx2Vector Broadcast(int value) => new(Vector256.Create(value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx2Vector Load(void* source) => new(Vector256.Load((int*)source));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Avx2Vector vector, void* destination) => vector._value.Store((int*)destination);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx2Vector MultiplyPairs(Avx2Vector a, Avx2Vector b) =>
        new(Avx2.MultiplyAddAdjacent(a._value.AsInt16(), b._value.AsInt16()));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx2Vector Add(Avx2Vector a, Avx2Vector b) => new(Avx2.Add(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx2Vector SplitLimbs(Avx2Vector words)
    {
        // Adding 2·(bit 15) at bit 15 carries a negative low limb into the high one; the low half stays.
        var carry = Avx2.ShiftLeftLogical(Avx2.And(words._value, Vector256.Create(0x8000)), 1);
        var limbs = Avx2.Add(words._value, carry).AsByte();
        var order = Vector128.Create((byte)0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15);
        return new(Avx2.Shuffle(limbs, Vector256.Create(order, order)).AsInt32());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx2Vector Recombine(Avx2Vector low, Avx2Vector high)
    {
        // 2³¹ ≡ 94207: 65536·high = 2³¹·(high >> 15) + 2¹⁶·(high mod 2¹⁵).
        var upper = Avx2.MultiplyLow(Avx2.ShiftRightArithmetic(high._value, 15), Vector256.Create((int)Modular.PowerOfTwoExcess));
        var middle = Avx2.ShiftLeftLogical(Avx2.And(high._value, Vector256.Create(0x7fff)), 16);
        return AddModular(new(AddIfNegative(low._value)), AddModular(new(AddIfNegative(upper)), new(SubtractIfNotLess(middle))));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx2Vector AddModular(Avx2Vector a, Avx2Vector b) => new(SubtractIfNotLess(Avx2.Add(a._value, b._value)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx2Vector Center(Avx2Vector a)
    {
        var above = Avx2.CompareGreaterThan(a._value, Vector256.Create(EncryptedLinearParameters.HalfModulus));
        return new(Avx2.Subtract(a._value, Avx2.And(above, Modulus)));
    }

    // (−q, q) to [0, q): a negative value is a huge unsigned one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> AddIfNegative(Vector256<int> a) => Avx2.Min(a.AsUInt32(), Avx2.Add(a, Modulus).AsUInt32()).AsInt32();

    // [0, 2q) to [0, q): a difference below zero is a huge unsigned one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> SubtractIfNotLess(Vector256<int> a) =>
        Avx2.Min(a.AsUInt32(), Avx2.Subtract(a, Modulus).AsUInt32()).AsInt32();
}
