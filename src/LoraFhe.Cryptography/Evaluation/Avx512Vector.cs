using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LoraFhe.Cryptography;

/// <summary>Sixteen lanes of one AVX-512 register; a pair product is one <c>vpmaddwd</c>.</summary>
internal readonly unsafe struct Avx512Vector : IIntegerVector<Avx512Vector>
{
    private readonly Vector512<int> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Avx512Vector(Vector512<int> value) => _value = value;

    /// <inheritdoc/>
    public static int Lanes => 16;

    /// <inheritdoc/>
    public static Avx512Vector Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector512<int>.Zero);
    }

    private static Vector512<int> Modulus => Vector512.Create((int)Modular.Modulus);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx512Vector Broadcast(int value) => new(Vector512.Create(value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx512Vector Load(void* source) => new(Vector512.Load((int*)source));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Avx512Vector vector, void* destination) => vector._value.Store((int*)destination);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx512Vector MultiplyPairs(Avx512Vector a, Avx512Vector b) =>
        new(Avx512BW.MultiplyAddAdjacent(a._value.AsInt16(), b._value.AsInt16()));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx512Vector Add(Avx512Vector a, Avx512Vector b) => new(Avx512F.Add(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx512Vector SplitLimbs(Avx512Vector words)
    {
        // Adding 2·(bit 15) at bit 15 carries a negative low limb into the high one; the low half stays.
        var carry = Avx512F.ShiftLeftLogical(Avx512F.And(words._value, Vector512.Create(0x8000)), 1);
        var limbs = Avx512F.Add(words._value, carry).AsByte();
        var order = Vector128.Create((byte)0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15);
        var lanes = Vector256.Create(order, order);
        return new(Avx512BW.Shuffle(limbs, Vector512.Create(lanes, lanes)).AsInt32());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx512Vector Recombine(Avx512Vector low, Avx512Vector high)
    {
        // 2³¹ ≡ 94207: 65536·high = 2³¹·(high >> 15) + 2¹⁶·(high mod 2¹⁵).
        var upper = Avx512F.MultiplyLow(Avx512F.ShiftRightArithmetic(high._value, 15), Vector512.Create((int)Modular.PowerOfTwoExcess));
        var middle = Avx512F.ShiftLeftLogical(Avx512F.And(high._value, Vector512.Create(0x7fff)), 16);
        return AddModular(new(AddIfNegative(low._value)), AddModular(new(AddIfNegative(upper)), new(SubtractIfNotLess(middle))));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx512Vector AddModular(Avx512Vector a, Avx512Vector b) => new(SubtractIfNotLess(Avx512F.Add(a._value, b._value)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Avx512Vector Center(Avx512Vector a)
    {
        // Moved up by (q−1)/2, what lies above it is q or more.
        var half = Vector512.Create(EncryptedLinearParameters.HalfModulus);
        return new(Avx512F.Subtract(SubtractIfNotLess(Avx512F.Add(a._value, half)), half));
    }

    // (−q, q) to [0, q): a negative value is a huge unsigned one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> AddIfNegative(Vector512<int> a) => Avx512F.Min(a.AsUInt32(), Avx512F.Add(a, Modulus).AsUInt32()).AsInt32();

    // [0, 2q) to [0, q): a difference below zero is a huge unsigned one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> SubtractIfNotLess(Vector512<int> a) =>
        Avx512F.Min(a.AsUInt32(), Avx512F.Subtract(a, Modulus).AsUInt32()).AsInt32();
}
