using CsCheck;
using LoraFhe.Cryptography;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Quantization;

public sealed class WeightQuantizerTests
{
    [Fact]
    public void A_code_is_the_nearest_integer_ties_to_even_at_every_number_of_bits()
    {
        // Scales of denormal weights are rounded so coarsely that codes must be clamped: the next test is theirs.
        var weights = Gen.Float[-3f, 3f].Where(w => w == 0 || Math.Abs(w) > 1e-30f);
        Gen.Select(Gen.Int[8, 12], weights.Array[1, 40]).Sample((bits, channel) =>
        {
            var codes = new short[channel.Length];
            var scales = new float[1];
            WeightQuantizer.Quantize(channel, 1, channel.Length, bits, codes, scales);
            var limit = (1 << (bits - 1)) - 1;
            var largest = channel.Max(Math.Abs);
            return scales[0] == (largest == 0 ? 1 : (float)((double)largest / limit))
                && channel.Zip(codes).All(pair => pair.Second == (short)Math.Round(pair.First / (double)scales[0], MidpointRounding.ToEven))
                && codes.All(code => Math.Abs(code) <= limit)
                && (largest == 0 || codes.Any(code => Math.Abs(code) == limit));
        });
    }

    [Fact]
    public void Denormal_and_huge_channels_have_codes_in_range()
    {
        Gen.Select(Gen.Int[8, 12], Gen.Single.Where(float.IsFinite).Array[1, 20]).Sample((bits, channel) =>
        {
            var codes = new short[channel.Length];
            var scales = new float[1];
            WeightQuantizer.Quantize(channel, 1, channel.Length, bits, codes, scales);
            var layer = QuantizedLayer.Create("m", "l", bits, 1, channel.Length, codes, scales);
            return layer.Scales[0] > 0;
        });
        Assert.Equal((short)127, Quantize([190 * float.Epsilon, 0]).Codes[0]);
    }

    [Fact]
    public void An_all_zero_channel_has_scale_one_and_zero_codes()
    {
        var layer = Quantize([0, 0, 1, -2]);

        Assert.Equal([1f, 2f / 127], layer.Scales.ToArray());
        Assert.Equal([0, 0], layer.Codes[..2].ToArray().Select(code => (int)code));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_weight_that_is_not_finite_is_refused_by_the_layers_name(float value)
    {
        using var weight = tensor(new[] { 1f, value, 2f, 3f }).reshape(2, 2);

        var exception = Assert.Throws<ArgumentException>(() => LayerQuantizer.Quantize("m", "h.0.attn.c_attn", new FrozenWeight(weight, false), 8));

        Assert.Contains("'h.0.attn.c_attn'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rounding_error_is_what_a_plain_computation_gives()
    {
        using var weight = Hybrid.HybridData.Normal(3, 6, 50);
        var values = Hybrid.HybridData.Values(weight);
        var layer = LayerQuantizer.Quantize("m", "l", new FrozenWeight(weight, false), 8);

        var rounding = WeightQuantizer.RelativeRounding(values, 50, layer.Codes, layer.Scales);

        var expected = Math.Sqrt(
            values.Select((w, i) => Math.Pow((layer.Codes[i] * (double)layer.Scales[i / 50]) - w, 2)).Sum() / values.Sum(w => (double)w * w));
        Assert.Equal(expected, rounding, 12);
    }

    [Theory]
    [InlineData(64, 12)]
    [InlineData(768, 11)]
    [InlineData(3072, 10)]
    public void Without_a_number_of_bits_the_best_for_the_width_is_chosen(int inFeatures, int bits)
    {
        using var weight = Hybrid.HybridData.Normal(4, 32, inFeatures);

        var layer = LayerQuantizer.Quantize("m", "l", new FrozenWeight(weight, false), bits: null);

        Assert.Equal(bits, layer.Bits);
    }

    private static QuantizedLayer Quantize(float[] weight)
    {
        using var rows = tensor(weight).reshape(weight.Length / 2, 2);
        return LayerQuantizer.Quantize("m", "l", new FrozenWeight(rows, Transposed: false), 8);
    }
}
