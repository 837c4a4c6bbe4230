using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoraFhe.Cryptography.Client;

/// <summary>Eight words in .NET's portable vector: the twin of <see cref="Avx2Lanes"/> for every other processor.</summary>
internal readonly unsafe struct Portable256Lanes : ILanes<Vector256<uint>>
{
    /// <summary>Adding it leaves a double's nearest integer, ties to even, in the low bits of its pattern.</summary>
    private const double RoundingShift = 3L << 51;

    /// <inheritdoc/>
    public static int Count => 8;

    /// <inheritdoc/>
    public static bool IsSupported => true;

    /// <inheritdoc/>
    public static string Name => "Portable256";

    private static Vector256<ulong> LowHalves => Vector256.Create(0xffffffffUL);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Broadcast(uint value) => Vector256.Create(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> HighWords(uint value) => Vector256.Create((ulong)value << 32).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(uint* source)
    {
        // .NET has no portable prefetch.
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Load(uint* source) => Vector256.Load(source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<uint> value, uint* destination) => value.Store(destination);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Add(Vector256<uint> a, Vector256<uint> b) => a + b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Subtract(Vector256<uint> a, Vector256<uint> b) => a - b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Min(Vector256<uint> a, Vector256<uint> b) => ClientKernels.HasVectors ? Vector256.Min(a, b) : MinByBorrow(a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> MultiplyLow(Vector256<uint> a, Vector256<uint> b) => a * b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> OddToEven(Vector256<uint> a) => (a.AsUInt64() >>> 32).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> MultiplyEven(Vector256<uint> a, Vector256<uint> b) =>
        ((a.AsUInt64() & LowHalves) * (b.AsUInt64() & LowHalves)).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> MultiplyEvenSigned(Vector256<uint> a, Vector256<uint> b) =>
        (((a.AsInt64() << 32) >> 32) * ((b.AsInt64() << 32) >> 32)).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Add64(Vector256<uint> a, Vector256<uint> b) => (a.AsUInt64() + b.AsUInt64()).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> MergeHigh(Vector256<uint> even, Vector256<uint> odd) =>
        Vector256.ConditionalSelect(LowHalves.AsUInt32(), OddToEven(even), odd);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> LoadBytes(sbyte* source) =>
        Vector256.WidenLower(Vector256.WidenLower(Vector128.CreateScalar(*(long*)source).AsSByte().ToVector256Unsafe()).GetLower().ToVector256Unsafe()).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Encode(float* row, double* channels, double scale, double bound)
    {
        var (low, high) = Vector256.Widen(Vector256.Load(row));
        return Vector256.Narrow(Round(low, channels, scale, bound), Round(high, channels + 4, scale, bound)).AsUInt32();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode(Vector256<uint> codes, double scale, double* channels, float* destination)
    {
        var (low, high) = Vector256.Widen(codes.AsInt32());
        var factor = Vector256.Create(scale);
        Vector256.Narrow(
            Vector256.ConvertToDouble(low) * factor * Vector256.Load(channels),
            Vector256.ConvertToDouble(high) * factor * Vector256.Load(channels + 4)).Store(destination);
    }

    /// <summary>The smaller, by the borrow of a − b. Without vector instructions the base library would compare word by word, with a jump each.</summary>
    internal static Vector256<uint> MinByBorrow(Vector256<uint> a, Vector256<uint> b)
    {
        var difference = a - b;
        var borrow = (~a & b) | ((~a | b) & difference);
        return b + (difference & (borrow.AsInt32() >> 31).AsUInt32());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<long> Round(Vector256<double> values, double* channels, double scale, double bound)
    {
        // |values| ≤ bound < 2³⁰, far inside the 2⁵¹ the shift allows; the low 32 bits of the pattern are the integer in two's complement.
        var limit = Vector256.Create(bound);
        var scaled = values * Vector256.Load(channels) * Vector256.Create(scale);
        return (Vector256.Min(Vector256.Max(scaled, -limit), limit) + Vector256.Create(RoundingShift)).AsInt64();
    }
}
