using CsCheck;

namespace LoraFhe.Cryptography.Tests;

public sealed unsafe class StrassenProductTests
{
    public static TheoryData<string> Names => Kernels.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Seven_products_of_half_the_size_give_the_naive_product(string kernel) =>
        Gen.Select(Gen.Int[1, 3], Gen.Int[1, 3], Gen.Int[1, 6], Gen.Int[8, 11], Gen.Bool, Gen.Int[1, 3], Gen.Bool, Gen.ULong).Sample(
            (outBlocks, inBlocks, pairs, bits, forward, threads, extreme, seed) =>
            {
                var direction = forward ? LayerDirection.Forward : LayerDirection.Backward;
                var layer = TestLayers.Make(32 * outBlocks, 32 * inBlocks, bits, seed, extreme);
                AssertExact(kernel, layer, direction, 2 * pairs, threads, seed, every: 1);
            },
            iter: 25);

    [Theory]
    [MemberData(nameof(Names))]
    public void The_largest_weights_and_words_never_overflow_a_sum(string kernel)
    {
        // Sums of two weights of ±1023 over halves of 512 inputs; some words on the edge of their range.
        var layer = TestLayers.Make(64, 1024, 11, extreme: true);
        AssertExact(kernel, layer, LayerDirection.Forward, 4, threads: 1, seed: 3, every: 5);
    }

    [Fact]
    public void Several_groups_on_several_threads_cover_every_token()
    {
        var layer = TestLayers.Make(64, 96, 8);
        foreach (var tokens in new[] { StrassenProduct.GroupTokens, StrassenProduct.GroupTokens + 2, (3 * StrassenProduct.GroupTokens) - 2 })
        {
            AssertExact(GemmKernels.Choice.Kernel.Name, layer, LayerDirection.Backward, tokens, threads: 3, seed: 5, every: 7);
        }
    }

    [Theory]
    [InlineData(1024, 1024, 8, true)]
    [InlineData(1024, 1024, 11, true)]
    [InlineData(1024, 1024, 12, false)]
    [InlineData(256, 1024, 8, false)]
    [InlineData(1024, 256, 8, false)]
    [InlineData(1024, 1040, 8, false)]
    public void Wide_layers_of_whole_halves_with_a_bit_to_spare_suit(int outFeatures, int inFeatures, int bits, bool suits)
    {
        var layer = TestLayers.Make(outFeatures, inFeatures, bits);
        Assert.Equal(suits, StrassenWeights.Suit(GemmKernels.Choice.Kernel, layer, LayerDirection.Forward));
    }

    [Theory]
    [InlineData(256, 1, true)]
    [InlineData(256, 2, true)]
    [InlineData(257, 1, false)]
    [InlineData(254, 1, false)]
    [InlineData(512, 5, false)]
    public void An_even_number_of_tokens_that_gives_every_thread_a_group_suits(int tokens, int threads, bool suits) =>
        Assert.Equal(suits, StrassenProduct.Suits(tokens, threads));

    [Fact]
    public void Weights_disposed_before_a_product_are_refused_not_read()
    {
        var kernel = GemmKernels.Choice.Kernel;
        var weights = StrassenWeights.Pack(kernel, TestLayers.Make(32, 32), LayerDirection.Forward, 1);
        weights.Dispose();
        var words = new int[64];
        Assert.Throws<ObjectDisposedException>(() =>
        {
            fixed (int* pointer = words)
            {
                var matrix = WordMatrix.OnTheWire(pointer, 32, 2);
                StrassenProduct.Multiply(kernel, weights, matrix, matrix, 1);
            }
        });
    }

    private static void AssertExact(string kernel, QuantizedLayer layer, LayerDirection direction, int tokens, int threads, ulong seed, int every)
    {
        var gemm = Kernels.Named(kernel);
        using var weights = StrassenWeights.Pack(gemm, layer, direction, threads);
        var (inputs, outputs) = (layer.Inputs(direction), layer.Outputs(direction));
        var words = TestLayers.Words(tokens, inputs, seed);
        var source = new int[words.Length];
        for (var i = 0; i < words.Length; i++)
        {
            source[FeatureBlocks.WireIndex(i % inputs, i / inputs, inputs, tokens)] = words[i];
        }

        var target = new int[outputs * tokens];
        Array.Fill(target, int.MinValue);
        fixed (int* from = source, to = target)
        {
            StrassenProduct.Multiply(gemm, weights, WordMatrix.OnTheWire(from, inputs, tokens), WordMatrix.OnTheWire(to, outputs, tokens), threads);
        }

        for (var t = 0; t < tokens; t++)
        {
            for (var o = t % every; o < outputs; o += every)
            {
                Assert.Equal(
                    LinearProduct.Reference(layer, direction, o, words.AsSpan(t * inputs, inputs)),
                    target[FeatureBlocks.WireIndex(o, t, outputs, tokens)]);
            }
        }
    }
}
