using CsCheck;

namespace LoraFhe.Cryptography.Client.Tests.Encoding;

public sealed class TokenEncoderTests
{
    private static readonly LayerId Id = new("fc", LayerDirection.Forward);

    [Fact]
    public void The_range_is_the_schemes_formula()
    {
        var layer = Constant(outFeatures: 2, inFeatures: 100, bits: 12, code: 2047);
        var expected = (1073694720 / (2047 * 10.0)) - (22 * 10.0);
        Assert.Equal(expected, TokenEncoder.Create(layer, LayerDirection.Forward).Range, 6);
    }

    [Fact]
    public void The_range_is_capped_at_two_to_the_twenty_third() =>
        Assert.Equal(1 << 23, TokenEncoder.Create(Constant(1, 1, 8, 0), LayerDirection.Forward).Range);

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1)]
    [InlineData(128.1)]
    public void A_weight_norm_that_no_such_weights_have_is_refused(double norm)
    {
        var error = Assert.Throws<ArgumentException>(() => TokenEncoder.ComputeRange(Id, norm, bits: 8, inputs: 1));
        Assert.Contains("Layer 'fc', forward", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_too_wide_for_its_bits_is_refused_with_the_cure()
    {
        var error = Assert.Throws<ArgumentException>(static () => TokenEncoder.Create(Constant(1, 24_000, 12, 2047), LayerDirection.Forward));
        Assert.Contains("Use fewer weight bits, or split the layer", error.Message, StringComparison.Ordinal);
        Assert.True(TokenEncoder.Create(Constant(1, 23_000, 12, 2047), LayerDirection.Forward).Range > 0);
    }

    [Fact]
    public void No_product_wraps_even_with_the_worst_errors()
    {
        // The row parallel to the weights, and every error 21 towards the same side: Cauchy–Schwarz is attained.
        Gen.Select(Gen.Int[1, 300], Gen.Int[8, 12], Gen.Double[-40, 38], Gen.ULong).Sample(static (inputs, bits, exponent, seed) =>
        {
            var layer = Layers.Random(1, inputs, bits, seed);
            var encoder = TokenEncoder.Create(layer, LayerDirection.Forward);
            var magnitude = Math.Pow(10, exponent) / (1 << bits);
            var row = layer.Codes.ToArray().Select(c => (float)(c * magnitude)).ToArray();
            var codes = new int[inputs];
            encoder.Encode(row, 1, codes, new double[1]);
            long product = 0;
            for (var j = 0; j < inputs; j++)
            {
                product += layer.Codes[j] * ((long)codes[j] + (21 * Math.Sign(layer.Codes[j])));
            }

            Assert.InRange(product, 0, EncryptedLinearParameters.HalfModulus);
        });
    }

    [Fact]
    public void A_zero_row_has_zero_codes_and_scale()
    {
        var encoder = TokenEncoder.Create(Layers.Random(3, 5, 8, 1), LayerDirection.Forward);
        var codes = new int[10];
        var scales = new double[2];
        float[] rows = [0, 0, -0f, 0, 0, 1, 2, 3, 4, 5];
        encoder.Encode(rows, 2, codes, scales);
        Assert.All(codes[..5], static c => Assert.Equal(0, c));
        Assert.Equal(0, scales[0]);
        Assert.True(scales[1] > 0);
        var quantized = new float[10];
        encoder.QuantizeWithErrors(rows, 2, [.. Enumerable.Repeat((sbyte)21, 10)], quantized);
        Assert.All(quantized[..5], static x => Assert.Equal(0, x));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_value_that_is_not_finite_is_refused_without_its_position(float value)
    {
        var encoder = TokenEncoder.Create(Layers.Random(3, 40, 8, 1, "h.3.mlp.c_fc"), LayerDirection.Backward);
        for (var place = 0; place < 6; place++)
        {
            var rows = new float[6];
            rows[place] = value;
            var errors = new[]
            {
                Assert.Throws<ArgumentException>(() => encoder.Encode(rows, 2, new int[6], new double[2])),
                Assert.Throws<ArgumentException>(() => encoder.Quantize(rows, 2, new float[6])),
            };
            Assert.All(errors, static e => Assert.Equal("Layer 'h.3.mlp.c_fc', backward: the gradient has a value that is not finite. Nothing was sent. (Parameter 'rows')", e.Message));
        }
    }

    [Theory]
    [InlineData(1e-45f)]
    [InlineData(1e-40f)]
    [InlineData(1e-10f)]
    [InlineData(1f)]
    [InlineData(1e30f)]
    [InlineData(3e38f)]
    public void Rows_of_every_magnitude_keep_their_precision(float magnitude)
    {
        foreach (var direction in (LayerDirection[])[LayerDirection.Forward, LayerDirection.Backward])
        {
            var layer = Constant(4, 4, 8, 100);
            var encoder = TokenEncoder.Create(layer, direction);
            float[] row = [magnitude, 0, magnitude, 0];
            var codes = new int[4];
            encoder.Encode(row, 1, codes, new double[1]);
            Assert.Equal(encoder.Range / Math.Sqrt(2), codes[0], encoder.Range * 1e-5);
            Assert.Equal(codes[0], codes[2]);
            Assert.Equal(0, codes[1]);
        }
    }

    [Fact]
    public void Backward_multiplies_by_the_channel_scales_first()
    {
        var layer = QuantizedLayer.Create("m", "fc", 8, 2, 1, [100, 50], [0.5f, 0.25f]);
        var backward = TokenEncoder.Create(layer, LayerDirection.Backward);
        int[] codes = new int[2], expected = new int[2];
        double[] scale = new double[1], expectedScale = new double[1];
        backward.Encode([3, 8], 1, codes, scale);
        var plain = TokenEncoder.Create(QuantizedLayer.Create("m", "fc", 8, 2, 1, [100, 50], [1, 1]), LayerDirection.Backward);
        plain.Encode([1.5f, 2], 1, expected, expectedScale);
        Assert.Equal(expected, codes);
        Assert.Equal(expectedScale, scale);
    }

    [Fact]
    public void Quantizing_is_the_codes_over_the_scale()
    {
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 5], Gen.Bool, Gen.ULong).Sample(static (features, tokens, backward, seed) =>
        {
            var layer = Layers.Random(features, features, 8, seed);
            var encoder = TokenEncoder.Create(layer, backward ? LayerDirection.Backward : LayerDirection.Forward);
            var rows = Layers.Rows(tokens, features, seed);
            var codes = new int[rows.Length];
            var scales = new double[tokens];
            float[] quantized = new float[rows.Length], noisy = new float[rows.Length];
            var errors = rows.Select(static (_, i) => (sbyte)((i % 43) - 21)).ToArray();
            encoder.Encode(rows, tokens, codes, scales);
            encoder.Quantize(rows, tokens, quantized);
            encoder.QuantizeWithErrors(rows, tokens, errors, noisy);
            for (var i = 0; i < codes.Length; i++)
            {
                Assert.Equal(codes[i] / scales[i / features], quantized[i], Math.Abs(quantized[i] * 1e-6));
                Assert.Equal((codes[i] + errors[i]) / scales[i / features], noisy[i], Math.Abs(noisy[i] * 1e-6));
            }
        });
    }

    [Fact]
    public void A_calibrated_norm_is_one_scale_for_all_and_counts_longer_rows()
    {
        var encoder = TokenEncoder.Create(Constant(1, 2, 8, 100), LayerDirection.Forward, fixedNorm: 2);
        var codes = new int[8];
        var scales = new double[4];
        Assert.Equal(1, encoder.Encode([1, 0, 0, 2, 30, 40, 0, 0], 4, codes, scales));
        Assert.Equal(scales[0], scales[1]);
        Assert.Equal(scales[0], scales[2]);
        Assert.Equal(0, scales[3]);
        Assert.Equal(scales[0] * 1.2, codes[4], 1.0);
        Assert.Equal(scales[0] * 1.6, codes[5], 1.0);
        Assert.All((double[])[0, -1, double.NaN, double.PositiveInfinity], static norm =>
            Assert.Throws<ArgumentOutOfRangeException>("fixedNorm", () => TokenEncoder.Create(Constant(1, 2, 8, 100), LayerDirection.Forward, norm)));
    }

    [Theory]
    [InlineData(double.Epsilon)]
    [InlineData(1e-300)]
    [InlineData(1e300)]
    public void A_zero_row_stays_zero_under_every_calibrated_norm(double norm)
    {
        var encoder = TokenEncoder.Create(Constant(1, 18, 8, 100), LayerDirection.Forward, norm);
        var codes = new int[18];
        encoder.Encode(new float[18], 1, codes, new double[1]);
        Assert.All(codes, static c => Assert.Equal(0, c));
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        var encoder = TokenEncoder.Create(Constant(1, 2, 8, 100), LayerDirection.Forward);
        Assert.Throws<ArgumentOutOfRangeException>("tokens", () => encoder.Encode([], 0, [], []));
        Assert.Throws<ArgumentException>("rows", () => encoder.Encode([1], 1, new int[2], new double[1]));
        Assert.Throws<ArgumentException>("codes", () => encoder.Encode([1, 2], 1, new int[3], new double[1]));
        Assert.Throws<ArgumentException>("tokenScales", () => encoder.Encode([1, 2], 1, new int[2], new double[2]));
        Assert.Throws<ArgumentException>("destination", () => encoder.Quantize([1, 2], 1, new float[1]));
        Assert.Throws<ArgumentException>("errors", () => encoder.QuantizeWithErrors([1, 2], 1, [1], new float[2]));
    }

    [Fact]
    public void A_rows_norm_is_added_in_one_order_everywhere()
    {
        Gen.Select(Gen.Int[1, 100], Gen.ULong).Sample(static (features, seed) =>
        {
            var row = Layers.Rows(1, features, seed);
            var channels = row.Select(static x => Math.Exp(x)).ToArray();
            Assert.Equal(RowNorm.Reference(row, channels), RowNorm.SquaredNorm(row, channels));
        });
    }

    private static QuantizedLayer Constant(int outFeatures, int inFeatures, int bits, short code) =>
        QuantizedLayer.Create("tests", "fc", bits, outFeatures, inFeatures, [.. Enumerable.Repeat(code, outFeatures * inFeatures)], [.. Enumerable.Repeat(1f, outFeatures)]);
}
