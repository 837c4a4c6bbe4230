using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoraFhe.Benchmarks;

/// <summary>How wide this processor's vectors are: as the runtime uses them, and as its units compute them.</summary>
internal static class VectorUnits
{
    private const int Products = 1 << 16;
    private const int Trials = 25;

    /// <summary>Of the widest vector that the runtime uses.</summary>
    public static int Bits => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    /// <summary>Whether 512 bits take the time of 256: measured, since some processors compute the two halves one after the other.</summary>
    public static bool AreFull512 { get; } = Vector512.IsHardwareAccelerated && Fastest(Products512) < 1.5 * Fastest(Products256);

    /// <summary>Both, as reports tell them.</summary>
    public static string Description => $"{Bits}-bit vectors on units of {(AreFull512 ? Bits : Math.Min(256, Bits))} bits";

    private static double Fastest(Func<float, float> products)
    {
        var best = double.MaxValue;
        for (var i = 0; i < Trials; i++)
        {
            var start = TimeProvider.System.GetTimestamp();
            _ = products(i);
            best = Math.Min(best, TimeProvider.System.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    // Eight sums that do not wait for each other keep two units busy.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Products256(float factor)
    {
        var x = Vector256.Create(factor);
        Vector256<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x;
        for (var i = 0; i < Products; i += 8)
        {
            a = Vector256.FusedMultiplyAdd(a, x, x);
            b = Vector256.FusedMultiplyAdd(b, x, x);
            c = Vector256.FusedMultiplyAdd(c, x, x);
            d = Vector256.FusedMultiplyAdd(d, x, x);
            e = Vector256.FusedMultiplyAdd(e, x, x);
            f = Vector256.FusedMultiplyAdd(f, x, x);
            g = Vector256.FusedMultiplyAdd(g, x, x);
            h = Vector256.FusedMultiplyAdd(h, x, x);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Products512(float factor)
    {
        var x = Vector512.Create(factor);
        Vector512<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x;
        for (var i = 0; i < Products; i += 8)
        {
            a = Vector512.FusedMultiplyAdd(a, x, x);
            b = Vector512.FusedMultiplyAdd(b, x, x);
            c = Vector512.FusedMultiplyAdd(c, x, x);
            d = Vector512.FusedMultiplyAdd(d, x, x);
            e = Vector512.FusedMultiplyAdd(e, x, x);
            f = Vector512.FusedMultiplyAdd(f, x, x);
            g = Vector512.FusedMultiplyAdd(g, x, x);
            h = Vector512.FusedMultiplyAdd(h, x, x);
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h);
    }
}
