using LoraFhe.Cryptography;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Makes a frozen layer's integers from its float weight.</summary>
internal static class LayerQuantizer
{
    // √(10.5 + 1/12): the error's variance and that of rounding an activation.
    private const double EffectiveDeviation = 3.2532;

    // As far as float32 rows can tell: the encoder goes no further.
    private const double RangeCap = 1 << 23;

    /// <summary>Quantizes a layer.</summary>
    /// <param name="modelId">Which model it belongs to; enters the binding.</param>
    /// <param name="name">Its name; enters the binding.</param>
    /// <param name="weight">Its weight, floating point.</param>
    /// <param name="bits">8 to 12; null: the number for which noise² + rounding² is least.</param>
    /// <exception cref="ArgumentException">The weight is not finite, or no number of bits leaves room for activations; the text names the layer.</exception>
    public static QuantizedLayer Quantize(string modelId, string name, FrozenWeight weight, int? bits)
    {
        using var scope = NewDisposeScope();
        using var noGraph = no_grad();
        var oriented = weight.Transposed ? weight.Weight.detach().t() : weight.Weight.detach();
        var rows = oriented.to(ScalarType.Float32).cpu().contiguous();
        var values = TensorData.Read(rows);
        if (!RowNorms.AllFinite(values))
        {
            throw new ArgumentException(Errors.WeightNotFinite(name));
        }

        var layer = bits is { } chosen ? Create(modelId, name, values, weight, chosen) : Best(modelId, name, values, weight);
        GC.KeepAlive(rows);
        return layer;
    }

    private static QuantizedLayer Best(string modelId, string name, ReadOnlySpan<float> values, FrozenWeight weight)
    {
        QuantizedLayer? best = null;
        var least = double.PositiveInfinity;
        for (var bits = EncryptedLinearParameters.MinBits; bits <= EncryptedLinearParameters.MaxBits; bits++)
        {
            var layer = Create(modelId, name, values, weight, bits);
            var rounding = WeightQuantizer.RelativeRounding(values, layer.InFeatures, layer.Codes, layer.Scales);
            var noise = Math.Max(RelativeNoise(layer, LayerDirection.Forward), RelativeNoise(layer, LayerDirection.Backward));
            var error = (noise * noise) + (rounding * rounding);
            if (error < least)
            {
                (best, least) = (layer, error);
            }
        }

        return best ?? throw new ArgumentException(Errors.NoRange(name));
    }

    private static QuantizedLayer Create(string modelId, string name, ReadOnlySpan<float> values, FrozenWeight weight, int bits)
    {
        var (outFeatures, inFeatures) = (checked((int)weight.OutFeatures), checked((int)weight.InFeatures));
        var codes = new short[values.Length];
        var scales = new float[outFeatures];
        WeightQuantizer.Quantize(values, outFeatures, inFeatures, bits, codes, scales);
        return QuantizedLayer.Create(modelId, name, bits, outFeatures, inFeatures, codes, scales);
    }

    /// <summary>An output's noise relative to its size, for rows without a preferred direction: the error's deviation over the mean size of an
    /// encoded activation. Infinite if the direction has no room at all.</summary>
    internal static double RelativeNoise(QuantizedLayer layer, LayerDirection direction)
    {
        var features = layer.Inputs(direction);
        var range = (EncryptedLinearParameters.HalfModulus / layer.MaxWeightNorm(direction)) - (22 * Math.Sqrt(features));
        return range > 0 ? EffectiveDeviation * Math.Sqrt(features) / Math.Min(range, RangeCap) : double.PositiveInfinity;
    }
}
