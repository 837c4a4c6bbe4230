namespace LoraFhe;

/// <summary>
/// Quantizes a linear layer's weight, symmetric, one scale an output channel:
/// <c>scale = (float)(max|w| / (2^(bits−1) − 1))</c>, 1 for an all-zero channel; <c>code = roundEven((double)w / scale)</c>.
/// </summary>
/// <remarks>Plain doubles, ties to even: every CPU gets the same integers, which bindings are made of. Source: docs/scheme.md, Quantization.</remarks>
internal static class WeightQuantizer
{
    /// <summary>The largest code of a number of bits.</summary>
    public static int LargestCode(int bits) => (1 << (bits - 1)) - 1;

    /// <summary>Quantizes all channels.</summary>
    /// <param name="weight">Float32 [out, in], row-major, finite.</param>
    /// <param name="outFeatures">Output channels.</param>
    /// <param name="inFeatures">Input features.</param>
    /// <param name="bits">Bits of a code, sign included: 8 to 12.</param>
    /// <param name="codes">Int16 [out, in].</param>
    /// <param name="scales">Float32 [out].</param>
    public static void Quantize(ReadOnlySpan<float> weight, int outFeatures, int inFeatures, int bits, Span<short> codes, Span<float> scales)
    {
        for (var o = 0; o < outFeatures; o++)
        {
            scales[o] = QuantizeChannel(weight.Slice(o * inFeatures, inFeatures), bits, codes.Slice(o * inFeatures, inFeatures));
        }
    }

    /// <summary>How far rounding moves a weight: <c>‖Ŵ − W‖ / ‖W‖</c> over all elements; 0 for a zero weight.</summary>
    public static double RelativeRounding(ReadOnlySpan<float> weight, int inFeatures, ReadOnlySpan<short> codes, ReadOnlySpan<float> scales)
    {
        double error = 0, norm = 0;
        for (var i = 0; i < weight.Length; i++)
        {
            var difference = ((double)codes[i] * scales[i / inFeatures]) - weight[i];
            error += difference * difference;
            norm += (double)weight[i] * weight[i];
        }

        return norm == 0 ? 0 : Math.Sqrt(error / norm);
    }

    private static float QuantizeChannel(ReadOnlySpan<float> channel, int bits, Span<short> codes)
    {
        var largest = 0f;
        foreach (var w in channel)
        {
            largest = Math.Max(largest, Math.Abs(w));
        }

        if (largest == 0)
        {
            codes.Clear();
            return 1;
        }

        // A channel of denormals can have a scale that rounds to nothing; the smallest float serves it.
        var limit = LargestCode(bits);
        var scale = Math.Max((float)((double)largest / limit), float.Epsilon);
        for (var i = 0; i < channel.Length; i++)
        {
            // A denormal scale may have been rounded down by half: only then does the clamp change anything.
            codes[i] = (short)Math.Clamp(Math.Round(channel[i] / (double)scale, MidpointRounding.ToEven), -limit, limit);
        }

        return scale;
    }
}
