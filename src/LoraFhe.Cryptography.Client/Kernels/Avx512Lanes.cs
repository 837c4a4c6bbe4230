using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace LoraFhe.Cryptography.Client;

/// <summary>Sixteen words in an AVX-512 register: a whole block of features.</summary>
internal readonly unsafe struct Avx512Lanes : ILanes<Vector512<uint>>
{
    /// <inheritdoc/>
    public static int Count => 16;

    /// <inheritdoc/>
    public static bool IsSupported => Avx512F.IsSupported && Avx512DQ.IsSupported;

    /// <inheritdoc/>
    public static string Name => "Avx512";

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Broadcast(uint value) => Vector512.Create(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> HighWords(uint value) => Vector512.Create((ulong)value << 32).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(uint* source) => Sse.Prefetch1(source);

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
    public static Vector512<uint> Min(Vector512<uint> a, Vector512<uint> b) => Avx512F.Min(a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> MultiplyLow(Vector512<uint> a, Vector512<uint> b) => Avx512F.MultiplyLow(a, b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> OddToEven(Vector512<uint> a) => Avx512F.ShiftRightLogical(a.AsUInt64(), 32).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> MultiplyEven(Vector512<uint> a, Vector512<uint> b) => Avx512F.Multiply(a, b).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> MultiplyEvenSigned(Vector512<uint> a, Vector512<uint> b) => Avx512F.Multiply(a.AsInt32(), b.AsInt32()).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Add64(Vector512<uint> a, Vector512<uint> b) => (a.AsUInt64() + b.AsUInt64()).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> MergeHigh(Vector512<uint> even, Vector512<uint> odd)
    {
        var oddPlaces = Vector512.Create(0xffffffff00000000UL).AsUInt32();
        return Vector512.ConditionalSelect(oddPlaces, odd, OddToEven(even));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> LoadBytes(sbyte* source) => Avx512F.ConvertToVector512Int32(Vector128.Load(source)).AsUInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Encode(float* row, double* channels, double scale, double bound)
    {
        var (factor, limit) = (Vector512.Create(scale), Vector512.Create(bound));
        var low = Avx512F.ConvertToVector512Double(Vector256.Load(row)) * Vector512.Load(channels) * factor;
        var high = Avx512F.ConvertToVector512Double(Vector256.Load(row + 8)) * Vector512.Load(channels + 8) * factor;
        low = Avx512F.Min(Avx512F.Max(low, -limit), limit);
        high = Avx512F.Min(Avx512F.Max(high, -limit), limit);
        return Vector512.Create(Avx512F.ConvertToVector256Int32(low), Avx512F.ConvertToVector256Int32(high)).AsUInt32();
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode(Vector512<uint> codes, double scale, double* channels, float* destination)
    {
        var factor = Vector512.Create(scale);
        var low = Avx512F.ConvertToVector512Double(codes.AsInt32().GetLower()) * factor * Vector512.Load(channels);
        var high = Avx512F.ConvertToVector512Double(codes.AsInt32().GetUpper()) * factor * Vector512.Load(channels + 8);
        Vector512.Create(Avx512F.ConvertToVector256Single(low), Avx512F.ConvertToVector256Single(high)).Store(destination);
    }
}
