using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoraFhe.Cryptography;

/// <summary>Eight lanes in the base library's portable operations: right on every machine, fast where 256-bit vectors are.</summary>
internal readonly unsafe struct Portable256Vector : IIntegerVector<Portable256Vector>
{
    private readonly Vector256<int> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Portable256Vector(Vector256<int> value) => _value = value;

    /// <inheritdoc/>
    public static int Lanes => 8;

    /// <inheritdoc/>
    public static Portable256Vector Zero => default;

    private static Vector256<int> Modulus => Vector256.Create((int)Modular.Modulus);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable256Vector Broadcast(int value) => new(Vector256.Create(value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable256Vector Load(void* source) => new(Vector256.Load((int*)source));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Portable256Vector vector, void* destination) => vector._value.Store((int*)destination);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable256Vector MultiplyPairs(Portable256Vector a, Portable256Vector b)
    {
        var first = ((a._value << 16) >> 16) * ((b._value << 16) >> 16);
        var second = (a._value >> 16) * (b._value >> 16);
        return new(first + second);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable256Vector Add(Portable256Vector a, Portable256Vector b) => new(a._value + b._value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable256Vector SplitLimbs(Portable256Vector words)
    {
        // Adding 2·(bit 15) at bit 15 carries a negative low limb into the high one; the low half stays.
        var limbs = (words._value + ((words._value & Vector256.Create(0x8000)) << 1)).AsUInt64();
        var outer = limbs & Vector256.Create(0xffff00000000ffffUL);
        var secondLow = (limbs >> 16) & Vector256.Create(0x00000000ffff0000UL);
        var firstHigh = (limbs << 16) & Vector256.Create(0x0000ffff00000000UL);
        return new((outer | secondLow | firstHigh).AsInt32());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable256Vector Recombine(Portable256Vector low, Portable256Vector high)
    {
        // 2³¹ ≡ 94207: 65536·high = 2³¹·(high >> 15) + 2¹⁶·(high mod 2¹⁵).
        var upper = (high._value >> 15) * Vector256.Create((int)Modular.PowerOfTwoExcess);
        var middle = (high._value & Vector256.Create(0x7fff)) << 16;
        return AddModular(new(AddIfNegative(low._value)), AddModular(new(AddIfNegative(upper)), new(SubtractIfNotLess(middle))));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable256Vector AddModular(Portable256Vector a, Portable256Vector b) => new(SubtractIfNotLess(a._value + b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable256Vector Center(Portable256Vector a)
    {
        var above = Vector256.GreaterThan(a._value, Vector256.Create(EncryptedLinearParameters.HalfModulus));
        return new(a._value - (above & Modulus));
    }

    // (−q, q) to [0, q): a negative value is a huge unsigned one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> AddIfNegative(Vector256<int> a) => Vector256.Min(a.AsUInt32(), (a + Modulus).AsUInt32()).AsInt32();

    // [0, 2q) to [0, q): a difference below zero is a huge unsigned one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> SubtractIfNotLess(Vector256<int> a) => Vector256.Min(a.AsUInt32(), (a - Modulus).AsUInt32()).AsInt32();
}
