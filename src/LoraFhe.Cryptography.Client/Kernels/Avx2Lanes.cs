using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LoraFhe.Cryptography.Client;

/// <summary>Eight words in an AVX2 register.</summary>
internal readonly unsafe struct Avx2Lanes : ILanes<Vector256<uint>>
{
    /// <inheritdoc/>
    public static int Count => 8;

    /// <inheritdoc/>
    public static bool IsSupported => Avx2.IsSupported;

    /// <inheritdoc/>
    public static string Name => "Avx2";

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Broadcast(uint value) => Vector256.Create(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> HighWords(uint value) => Vector256.Create((ulong)value << 32).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(uint* source) => Sse.Prefetch1(source);

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
    public static Vector256<uint> Min(Vector256<uint> a, Vector256<uint> b) => Avx2.Min(a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> MultiplyLow(Vector256<uint> a, Vector256<uint> b) => Avx2.MultiplyLow(a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> OddToEven(Vector256<uint> a) => Avx2.ShiftRightLogical(a.AsUInt64(), 32).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> MultiplyEven(Vector256<uint> a, Vector256<uint> b) => Avx2.Multiply(a, b).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> MultiplyEvenSigned(Vector256<uint> a, Vector256<uint> b) => Avx2.Multiply(a.AsInt32(), b.AsInt32()).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Add64(Vector256<uint> a, Vector256<uint> b) => (a.AsUInt64() + b.AsUInt64()).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> MergeHigh(Vector256<uint> even, Vector256<uint> odd) => Avx2.Blend(OddToEven(even), odd, 0b1010_1010);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> LoadBytes(sbyte* source) => Avx2.ConvertToVector256Int32(source).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Encode(float* row, double* channels, double scale, double bound)
    {
        var (factor, limit) = (Vector256.Create(scale), Vector256.Create(bound));
        var low = Avx.ConvertToVector256Double(Vector128.Load(row)) * Vector256.Load(channels) * factor;
        var high = Avx.ConvertToVector256Double(Vector128.Load(row + 4)) * Vector256.Load(channels + 4) * factor;
        low = Avx.Min(Avx.Max(low, -limit), limit);
        high = Avx.Min(Avx.Max(high, -limit), limit);
        // The conversion rounds to nearest, ties to even: the mode every .NET thread runs in.
        return Vector256.Create(Avx.ConvertToVector128Int32(low), Avx.ConvertToVector128Int32(high)).AsUInt32();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode(Vector256<uint> codes, double scale, double* channels, float* destination)
    {
        var factor = Vector256.Create(scale);
        var low = Avx.ConvertToVector256Double(codes.AsInt32().GetLower()) * factor * Vector256.Load(channels);
        var high = Avx.ConvertToVector256Double(codes.AsInt32().GetUpper()) * factor * Vector256.Load(channels + 4);
        Vector256.Create(Avx.ConvertToVector128Single(low), Avx.ConvertToVector128Single(high)).Store(destination);
    }
}
