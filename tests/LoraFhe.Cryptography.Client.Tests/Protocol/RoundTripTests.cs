using CsCheck;

namespace LoraFhe.Cryptography.Client.Tests.Protocol;

public sealed class RoundTripTests
{
    private static readonly Gen<LayerDirection> Direction = Gen.Bool.Select(static b => b ? LayerDirection.Forward : LayerDirection.Backward);

    [Fact]
    public void Decryption_is_exactly_the_weights_times_what_was_encrypted()
    {
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[8, 12], Direction, Gen.ULong)
            .Sample(static (inputs, outputs, tokens, bits, direction, seed) => AssertExact(outputs, inputs, bits, direction, tokens, seed), iter: 40, threads: 1);
    }

    [Theory]
    [InlineData(1, 64)]
    [InlineData(64, 64)]
    [InlineData(65, 128)]
    [InlineData(128, 128)]
    [InlineData(129, 256)]
    [InlineData(256, 256)]
    [InlineData(257, 512)]
    [InlineData(512, 512)]
    [InlineData(513, 512, 64)]
    [InlineData(700, 512, 256)]
    [InlineData(1100, 512, 512, 128)]
    public void Every_mix_of_ring_degrees_is_exact(int tokens, params int[] degrees)
    {
        Assert.Equal(degrees, TokenGroup.Cut(tokens).Select(static g => g.Degree));
        AssertExact(outFeatures: 5, inFeatures: 3, bits: 8, LayerDirection.Forward, tokens, seed: (ulong)tokens);
    }

    [Theory]
    [InlineData(130, 75, LayerDirection.Forward)]
    [InlineData(130, 75, LayerDirection.Backward)]
    [InlineData(48, 600, LayerDirection.Forward)]
    public void Wider_layers_are_exact(int outFeatures, int inFeatures, LayerDirection direction) =>
        AssertExact(outFeatures, inFeatures, bits: 9, direction, tokens: 70, seed: 7);

    private static void AssertExact(int outFeatures, int inFeatures, int bits, LayerDirection direction, int tokens, ulong seed)
    {
        var layer = Layers.Random(outFeatures, inFeatures, bits, seed);
        using var session = new Session(layer, direction, seed);
        var rows = Layers.Rows(tokens, session.Client.Inputs, seed + 1);
        var answer = session.Run(rows, tokens);

        var codes = new int[rows.Length];
        var scales = new double[tokens];
        session.Client.Encoder.Encode(rows, tokens, codes, scales);
        var opened = session.OpenRequest();
        for (var i = 0; i < codes.Length; i++)
        {
            Assert.InRange(opened[i] - codes[i], -EncryptedLinearParameters.ErrorEta, EncryptedLinearParameters.ErrorEta);
        }

        var (inputs, outputs) = (session.Client.Inputs, session.Client.Outputs);
        for (var t = 0; t < tokens; t++)
        {
            var product = Layers.Multiply(layer, direction, opened.AsSpan(t * inputs, inputs));
            for (var o = 0; o < outputs; o++)
            {
                var channel = direction == LayerDirection.Forward ? layer.Scales[o] : 1.0;
                Assert.Equal((float)(product[o] * session.Recorded!.InverseScales[t] * channel), answer[(t * outputs) + o]);
            }
        }
    }
}
