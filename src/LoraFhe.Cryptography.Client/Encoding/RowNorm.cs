using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoraFhe.Cryptography.Client;

/// <summary>Σ (x_j·channel_j)², in double, in one order of additions on every processor: feature j goes to sum j mod 16, the sums are then added in halves.</summary>
/// <remarks>Not finite exactly if a value is not: the square of a float32 product stays below 1e155.</remarks>
internal static class RowNorm
{
    private const int Lanes = FeatureBlocks.Width;

    /// <summary>The sum of squares.</summary>
    /// <param name="row">Float32 [features].</param>
    /// <param name="channels">At least as many factors.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe double SquaredNorm(ReadOnlySpan<float> row, ReadOnlySpan<double> channels)
    {
        var (s0, s1, s2, s3) = (Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero, Vector256<double>.Zero);
        var whole = row.Length / Lanes * Lanes;
        fixed (float* x = row)
        fixed (double* c = channels)
        {
            for (var j = 0; j < whole; j += Lanes)
            {
                var (a, b) = Vector256.Widen(Vector256.Load(x + j));
                var (d, e) = Vector256.Widen(Vector256.Load(x + j + 8));
                s0 = AddSquare(s0, a, c + j);
                s1 = AddSquare(s1, b, c + j + 4);
                s2 = AddSquare(s2, d, c + j + 8);
                s3 = AddSquare(s3, e, c + j + 12);
            }
        }

        Span<double> sums = stackalloc double[Lanes];
        s0.CopyTo(sums);
        s1.CopyTo(sums[4..]);
        s2.CopyTo(sums[8..]);
        s3.CopyTo(sums[12..]);
        AddScalars(row[whole..], channels[whole..], sums);
        return AddHalves(sums);
    }

    /// <summary>The plain form: equal bits.</summary>
    public static double Reference(ReadOnlySpan<float> row, ReadOnlySpan<double> channels)
    {
        Span<double> sums = stackalloc double[Lanes];
        sums.Clear();
        AddScalars(row, channels, sums);
        return AddHalves(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe Vector256<double> AddSquare(Vector256<double> sum, Vector256<double> values, double* channels)
    {
        var product = values * Vector256.Load(channels);
        return sum + (product * product);
    }

    private static void AddScalars(ReadOnlySpan<float> row, ReadOnlySpan<double> channels, Span<double> sums)
    {
        for (var j = 0; j < row.Length; j++)
        {
            var product = row[j] * channels[j];
            sums[j % Lanes] += product * product;
        }
    }

    private static double AddHalves(Span<double> sums)
    {
        for (var half = Lanes / 2; half >= 1; half /= 2)
        {
            for (var i = 0; i < half; i++)
            {
                sums[i] += sums[i + half];
            }
        }

        // A row's norm is as secret as the row.
        var total = sums[0];
        sums.Clear();
        return total;
    }
}
