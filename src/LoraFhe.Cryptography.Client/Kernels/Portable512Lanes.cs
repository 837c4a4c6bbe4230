using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoraFhe.Cryptography.Client;

/// <summary>Sixteen words in .NET's portable vector: the layout of <see cref="Avx512Lanes"/>, right on every processor.</summary>
internal readonly unsafe struct Portable512Lanes : ILanes<Vector512<uint>>
{
    /// <summary>Adding it leaves a double's nearest integer, ties to even, in the low bits of its pattern.</summary>
    private const double RoundingShift = 3L << 51;

    /// <inheritdoc/>
    public static int Count => 16;

    /// <inheritdoc/>
    public static bool IsSupported => true;

    /// <inheritdoc/>
    public static string Name => "Portable512";

    private static Vector512<ulong> LowHalves => Vector512.Create(0xffffffffUL);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Broadcast(uint value) => Vector512.Create(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> HighWords(uint value) => Vector512.Create((ulong)value << 32).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(uint* source)
    {
        // .NET has no portable prefetch.
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Load(uint* source) => Vector512.Load(source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<uint> value, uint* destination) => value.Store(destination);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Add(Vector512<uint> a, Vector512<uint> b) => a + b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Subtract(Vector512<uint> a, Vector512<uint> b) => a - b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Min(Vector512<uint> a, Vector512<uint> b) =>
        Vector512.Create(Portable256Lanes.Min(a.GetLower(), b.GetLower()), Portable256Lanes.Min(a.GetUpper(), b.GetUpper()));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> MultiplyLow(Vector512<uint> a, Vector512<uint> b) => a * b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> OddToEven(Vector512<uint> a) => (a.AsUInt64() >>> 32).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> MultiplyEven(Vector512<uint> a, Vector512<uint> b) =>
        ((a.AsUInt64() & LowHalves) * (b.AsUInt64() & LowHalves)).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> MultiplyEvenSigned(Vector512<uint> a, Vector512<uint> b) =>
        (((a.AsInt64() << 32) >> 32) * ((b.AsInt64() << 32) >> 32)).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Add64(Vector512<uint> a, Vector512<uint> b) => (a.AsUInt64() + b.AsUInt64()).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> MergeHigh(Vector512<uint> even, Vector512<uint> odd) =>
        Vector512.ConditionalSelect(LowHalves.AsUInt32(), OddToEven(even), odd);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> LoadBytes(sbyte* source) =>
        Vector512.WidenLower(Vector256.WidenLower(Vector128.Load(source).ToVector256Unsafe()).ToVector512Unsafe()).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Encode(float* row, double* channels, double scale, double bound)
    {
        var (low, high) = Vector512.Widen(Vector512.Load(row));
        return Vector512.Narrow(Round(low, channels, scale, bound), Round(high, channels + 8, scale, bound)).AsUInt32();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode(Vector512<uint> codes, double scale, double* channels, float* destination)
    {
        var (low, high) = Vector512.Widen(codes.AsInt32());
        var factor = Vector512.Create(scale);
        Vector512.Narrow(
            Vector512.ConvertToDouble(low) * factor * Vector512.Load(channels),
            Vector512.ConvertToDouble(high) * factor * Vector512.Load(channels + 8)).Store(destination);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<long> Round(Vector512<double> values, double* channels, double scale, double bound)
    {
        // |values| ≤ bound < 2³⁰, far inside the 2⁵¹ the shift allows; the low 32 bits of the pattern are the integer in two's complement.
        var limit = Vector512.Create(bound);
        var scaled = values * Vector512.Load(channels) * Vector512.Create(scale);
        return (Vector512.Min(Vector512.Max(scaled, -limit), limit) + Vector512.Create(RoundingShift)).AsInt64();
    }
}
