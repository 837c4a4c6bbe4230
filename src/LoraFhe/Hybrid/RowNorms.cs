using System.Numerics;
using System.Runtime.InteropServices;

namespace LoraFhe;

/// <summary>What is asked of rows before they are encoded: are they finite, and how long is each.</summary>
internal static class RowNorms
{
    private const uint ExponentMask = 0x7f800000;

    /// <summary>Whether no value is NaN or infinite.</summary>
    public static bool AllFinite(ReadOnlySpan<float> values)
    {
        var bits = MemoryMarshal.Cast<float, uint>(values);
        var mask = new Vector<uint>(ExponentMask);
        var found = Vector<uint>.Zero;
        var i = 0;
        for (; i <= bits.Length - Vector<uint>.Count; i += Vector<uint>.Count)
        {
            found |= Vector.Equals(new Vector<uint>(bits[i..]) & mask, mask);
        }

        var finite = found == Vector<uint>.Zero;
        for (; i < bits.Length; i++)
        {
            finite &= (bits[i] & ExponentMask) != ExponentMask;
        }

        return finite;
    }

    /// <summary>The largest row norm, and how many rows exceed a limit.</summary>
    /// <param name="rows">Float32 [n, features], finite.</param>
    /// <param name="scales">Multiplies each row first: [features], or empty.</param>
    /// <param name="features">Columns.</param>
    /// <param name="limit">Rows with a larger norm are counted.</param>
    public static (double Largest, long Above) Measure(ReadOnlySpan<float> rows, ReadOnlySpan<float> scales, int features, double limit)
    {
        var largest = 0.0;
        var above = 0L;
        for (; rows.Length >= features; rows = rows[features..])
        {
            var norm = Norm(rows[..features], scales);
            largest = Math.Max(largest, norm);
            above += norm > limit ? 1 : 0;
        }

        return (largest, above);
    }

    // Squares of finite floats cannot leave a double's range: no scaling by the largest is needed.
    private static double Norm(ReadOnlySpan<float> row, ReadOnlySpan<float> scales)
    {
        var sum = 0.0;
        for (var j = 0; j < row.Length; j++)
        {
            var value = scales.IsEmpty ? row[j] : (double)row[j] * scales[j];
            sum += value * value;
        }

        return Math.Sqrt(sum);
    }
}
