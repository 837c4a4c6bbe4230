using System.Security.Cryptography;
using CsCheck;

namespace LoraFhe.Cryptography.Tests;

public sealed class QuantizedLayerTests
{
    [Theory]
    [InlineData(7)]
    [InlineData(13)]
    public void Bits_outside_8_to_12_are_refused_with_the_layers_name(int bits)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(nameof(bits), () => QuantizedLayer.Create("m", "h.0.fc", bits, 1, 1, [0], [1]));
        Assert.Contains("'h.0.fc'", error.Message);
        Assert.Contains("8 to 12", error.Message);
    }

    [Theory]
    [InlineData(0, 1, "outFeatures")]
    [InlineData(1, 0, "inFeatures")]
    [InlineData(-1, 1, "outFeatures")]
    [InlineData(65536, 65536, "inFeatures")]
    public void Impossible_sizes_are_refused(int outFeatures, int inFeatures, string parameter) =>
        Assert.Throws<ArgumentOutOfRangeException>(parameter, () => QuantizedLayer.Create("m", "l", 8, outFeatures, inFeatures, [0], [1]));

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentException>("codes", () => QuantizedLayer.Create("m", "l", 8, 2, 3, new short[5], [1, 1]));
        Assert.Throws<ArgumentException>("scales", () => QuantizedLayer.Create("m", "l", 8, 2, 3, new short[6], [1]));
    }

    [Theory]
    [InlineData(8, 128)]
    [InlineData(8, -128)]
    [InlineData(12, 2048)]
    [InlineData(12, short.MinValue)]
    public void A_code_outside_the_symmetric_range_is_refused(int bits, int code) =>
        Assert.Throws<ArgumentException>("codes", () => QuantizedLayer.Create("m", "l", bits, 1, 2, [0, (short)code], [1]));

    [Theory]
    [InlineData(0f)]
    [InlineData(-1f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_scale_that_is_not_finite_and_above_zero_is_refused(float scale) =>
        Assert.Throws<ArgumentException>("scales", () => QuantizedLayer.Create("m", "l", 8, 1, 1, [0], [scale]));

    [Fact]
    public void Nulls_are_refused_by_name()
    {
        Assert.Throws<ArgumentNullException>("modelId", () => QuantizedLayer.Create(null!, "l", 8, 1, 1, [0], [1]));
        Assert.Throws<ArgumentNullException>("name", () => QuantizedLayer.Create("m", null!, 8, 1, 1, [0], [1]));
        Assert.Throws<ArgumentNullException>("codes", () => QuantizedLayer.Create("m", "l", 8, 1, 1, null!, [1]));
        Assert.Throws<ArgumentNullException>("scales", () => QuantizedLayer.Create("m", "l", 8, 1, 1, [0], null!));
    }

    [Fact]
    public void A_layer_of_zeros_counts_as_norm_one()
    {
        var layer = QuantizedLayer.Create("m", "l", 8, 2, 3, new short[6], [1, 1]);
        Assert.Equal(1, layer.MaxSquaredNorm(LayerDirection.Forward));
        Assert.Equal(1.0, layer.MaxWeightNorm(LayerDirection.Backward));
        Assert.Equal(0, layer.MaxAbsoluteSum(LayerDirection.Forward));
    }

    [Fact]
    public void Norms_are_over_rows_forward_and_over_columns_backward() =>
        Gen.Select(Gen.Int[1, 20], Gen.Int[1, 20], Gen.Int[8, 12], Gen.ULong).Sample((outFeatures, inFeatures, bits, seed) =>
        {
            var layer = TestLayers.Make(outFeatures, inFeatures, bits, seed);
            foreach (var direction in Enum.GetValues<LayerDirection>())
            {
                var weights = Enumerable.Range(0, layer.Outputs(direction))
                    .Select(o => Enumerable.Range(0, layer.Inputs(direction)).Select(i => (long)layer.Code(direction, o, i)).ToArray())
                    .ToArray();
                var squared = Math.Max(1, weights.Max(row => row.Sum(w => w * w)));
                Assert.Equal(squared, layer.MaxSquaredNorm(direction));
                Assert.Equal(Math.Sqrt(squared), layer.MaxWeightNorm(direction));
                Assert.Equal(weights.Max(row => row.Sum(Math.Abs)), layer.MaxAbsoluteSum(direction));
            }
        });

    [Fact]
    public void Directions_swap_inputs_and_outputs()
    {
        var layer = TestLayers.Make(3, 5);
        Assert.Equal((5, 3), (layer.Inputs(LayerDirection.Forward), layer.Outputs(LayerDirection.Forward)));
        Assert.Equal((3, 5), (layer.Inputs(LayerDirection.Backward), layer.Outputs(LayerDirection.Backward)));
        Assert.Equal(layer.Codes[(2 * 5) + 4], layer.Code(LayerDirection.Forward, 2, 4));
        Assert.Equal(layer.Codes[(2 * 5) + 4], layer.Code(LayerDirection.Backward, 4, 2));
    }

    [Fact]
    public void Hashes_are_of_the_little_endian_integers_and_scales()
    {
        var layer = QuantizedLayer.Create("m", "l", 8, 1, 2, [1, -2], [0.5f]);
        Assert.Equal(SHA256.HashData([1, 0, 0xfe, 0xff]), layer.CodesHash);
        Assert.Equal(SHA256.HashData([0, 0, 0, 0x3f]), layer.ScalesHash);
    }
}
