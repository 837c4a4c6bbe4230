using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoraFhe.Cryptography;

/// <summary>Four lanes in the base library's portable operations: right on every machine, the form for machines whose registers have 128
/// bits (Arm) or none.</summary>
internal readonly unsafe struct Portable128Vector : IIntegerVector<Portable128Vector>
{
    private readonly Vector128<int> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Portable128Vector(Vector128<int> value) => _value = value;

    /// <inheritdoc/>
    public static int Lanes => 4;

    /// <inheritdoc/>
    public static Portable128Vector Zero => default;

    private static Vector128<int> Modulus => Vector128.Create((int)Modular.Modulus);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable128Vector Broadcast(int value) => new(Vector128.Create(value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable128Vector Load(void* source) => new(Vector128.Load((int*)source));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Portable128Vector vector, void* destination) => vector._value.Store((int*)destination);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable128Vector MultiplyPairs(Portable128Vector a, Portable128Vector b)
    {
        var first = ((a._value << 16) >> 16) * ((b._value << 16) >> 16);
        var second = (a._value >> 16) * (b._value >> 16);
        return new(first + second);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable128Vector Add(Portable128Vector a, Portable128Vector b) => new(a._value + b._value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable128Vector SplitLimbs(Portable128Vector words)
    {
        // Adding 2·(bit 15) at bit 15 carries a negative low limb into the high one; the low half stays.
        var limbs = (words._value + ((words._value & Vector128.Create(0x8000)) << 1)).AsUInt64();
        var outer = limbs & Vector128.Create(0xffff00000000ffffUL);
        var secondLow = (limbs >> 16) & Vector128.Create(0x00000000ffff0000UL);
        var firstHigh = (limbs << 16) & Vector128.Create(0x0000ffff00000000UL);
        return new((outer | secondLow | firstHigh).AsInt32());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable128Vector Recombine(Portable128Vector low, Portable128Vector high)
    {
        // 2³¹ ≡ 94207: 65536·high = 2³¹·(high >> 15) + 2¹⁶·(high mod 2¹⁵).
        var upper = (high._value >> 15) * Vector128.Create((int)Modular.PowerOfTwoExcess);
        var middle = (high._value & Vector128.Create(0x7fff)) << 16;
        return AddModular(new(AddIfNegative(low._value)), AddModular(new(AddIfNegative(upper)), new(SubtractIfNotLess(middle))));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable128Vector AddModular(Portable128Vector a, Portable128Vector b) => new(SubtractIfNotLess(a._value + b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Portable128Vector Center(Portable128Vector a)
    {
        var above = Vector128.GreaterThan(a._value, Vector128.Create(EncryptedLinearParameters.HalfModulus));
        return new(a._value - (above & Modulus));
    }

    // (−q, q) to [0, q): a negative value is a huge unsigned one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> AddIfNegative(Vector128<int> a) => Vector128.Min(a.AsUInt32(), (a + Modulus).AsUInt32()).AsInt32();

    // [0, 2q) to [0, q): a difference below zero is a huge unsigned one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> SubtractIfNotLess(Vector128<int> a) => Vector128.Min(a.AsUInt32(), (a - Modulus).AsUInt32()).AsInt32();
}
