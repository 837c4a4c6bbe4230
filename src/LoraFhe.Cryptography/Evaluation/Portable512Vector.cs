using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoraFhe.Cryptography;

/// <summary>Sixteen lanes in the base library's portable operations: the layout of the 512-bit kernels, right on every machine.</summary>
internal readonly unsafe struct Portable512Vector : IIntegerVector<Portable512Vector>
{
    private readonly Vector512<int> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Portable512Vector(Vector512<int> value) => _value = value;

    /// <inheritdoc/>
    public static int Lanes => 16;

    /// <inheritdoc/>
    public static Portable512Vector Zero => default;

    private static Vector512<int> Modulus => Vector512.Create((int)Modular.Modulus);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable512Vector Broadcast(int value) => new(Vector512.Create(value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable512Vector Load(void* source) => new(Vector512.Load((int*)source));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Portable512Vector vector, void* destination) => vector._value.Store((int*)destination);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable512Vector MultiplyPairs(Portable512Vector a, Portable512Vector b)
    {
        var first = ((a._value << 16) >> 16) * ((b._value << 16) >> 16);
        var second = (a._value >> 16) * (b._value >> 16);
        return new(first + second);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable512Vector Add(Portable512Vector a, Portable512Vector b) => new(a._value + b._value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable512Vector SplitLimbs(Portable512Vector words)
    {
        // Adding 2·(bit 15) at bit 15 carries a negative low limb into the high one; the low half stays.
        var limbs = (words._value + ((words._value & Vector512.Create(0x8000)) << 1)).AsUInt64();
        var outer = limbs & Vector512.Create(0xffff00000000ffffUL);
        var secondLow = (limbs >> 16) & Vector512.Create(0x00000000ffff0000UL);
        var firstHigh = (limbs << 16) & Vector512.Create(0x0000ffff00000000UL);
        return new((outer | secondLow | firstHigh).AsInt32());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable512Vector Recombine(Portable512Vector low, Portable512Vector high)
    {
        // 2³¹ ≡ 94207: 65536·high = 2³¹·(high >> 15) + 2¹⁶·(high mod 2¹⁵).
        var upper = (high._value >> 15) * Vector512.Create((int)Modular.PowerOfTwoExcess);
        var middle = (high._value & Vector512.Create(0x7fff)) << 16;
        return AddModular(new(AddIfNegative(low._value)), AddModular(new(AddIfNegative(upper)), new(SubtractIfNotLess(middle))));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable512Vector AddModular(Portable512Vector a, Portable512Vector b) => new(SubtractIfNotLess(a._value + b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable512Vector Center(Portable512Vector a)
    {
        var above = Vector512.GreaterThan(a._value, Vector512.Create(EncryptedLinearParameters.HalfModulus));
        return new(a._value - (above & Modulus));
    }

    // (−q, q) to [0, q): a negative value is a huge unsigned one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> AddIfNegative(Vector512<int> a) => Vector512.Min(a.AsUInt32(), (a + Modulus).AsUInt32()).AsInt32();

    // [0, 2q) to [0, q): a difference below zero is a huge unsigned one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> SubtractIfNotLess(Vector512<int> a) => Vector512.Min(a.AsUInt32(), (a - Modulus).AsUInt32()).AsInt32();
}
