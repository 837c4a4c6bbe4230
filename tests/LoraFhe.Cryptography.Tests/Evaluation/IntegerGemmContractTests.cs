using CsCheck;

namespace LoraFhe.Cryptography.Tests;

/// <summary>What every kernel must do, run over all of them.</summary>
public sealed class IntegerGemmContractTests
{
    public static TheoryData<string> Names => Kernels.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void A_kernel_passes_the_start_up_check(string kernel) => Assert.True(KernelCheck.Passes(Kernels.Named(kernel)));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_product_is_the_naive_one_for_any_shape_bits_direction_and_threads(string kernel) =>
        Gen.Select(Gen.Int[1, 90], Gen.Int[1, 90], Gen.Int[1, 12], Gen.Int[8, 12], Gen.Bool, Gen.Int[1, 3], Gen.ULong)
            .Sample((outFeatures, inFeatures, tokens, bits, forward, threads, seed) =>
                AssertExact(kernel, outFeatures, inFeatures, tokens, bits, forward ? LayerDirection.Forward : LayerDirection.Backward, threads, seed, extreme: false), iter: 60);

    [Theory]
    [MemberData(nameof(Names))]
    public void The_largest_weights_never_overflow_a_sum(string kernel) =>
        Gen.Select(Gen.Int[1, 9], Gen.Int[400, 1500], Gen.Int[8, 12], Gen.Bool, Gen.ULong)
            .Sample((outputs, inputs, bits, forward, seed) =>
                AssertExact(
                    kernel,
                    forward ? outputs : inputs,
                    forward ? inputs : outputs,
                    2,
                    bits,
                    forward ? LayerDirection.Forward : LayerDirection.Backward,
                    1,
                    seed,
                    extreme: true), iter: 15);

    [Theory]
    [MemberData(nameof(Names))]
    public void Words_and_weights_that_all_agree_in_sign_reach_the_bound_and_stay_exact(string kernel)
    {
        // The sums of limbs then come as near to their bound as a block allows: low limbs of ±2¹⁵, high ones of 2¹⁴.
        foreach (var (word, weight) in new[] { (1, 1), (1, -1), (-1, 1), (-1, -1) })
        {
            foreach (var value in new[] { EncryptedLinearParameters.HalfModulus, 0x3ffe7fff, 0x3ffe8000 })
            {
                var codes = new short[1024];
                Array.Fill(codes, (short)(2047 * weight));
                var layer = QuantizedLayer.Create("m", "l", 12, 1, 1024, codes, [1]);
                var words = new int[1024];
                Array.Fill(words, value * word);
                Assert.Equal(LinearProduct.Reference(layer, LayerDirection.Forward, 0, words), Multiply(kernel, layer, LayerDirection.Forward, words, 1, 1)[0]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_number_of_tokens_around_a_parts_size_is_exact_on_several_threads(string kernel)
    {
        // Large enough that several threads get work; some outputs of some tokens are compared.
        foreach (var tokens in new[] { WorkPlan.MaxTokens - 1, WorkPlan.MaxTokens, WorkPlan.MaxTokens + 1, (2 * WorkPlan.MaxTokens) + 3 })
        {
            var layer = TestLayers.Make(171, 260, 10);
            var words = TestLayers.Words(tokens, 260);
            var result = Multiply(kernel, layer, LayerDirection.Forward, words, tokens, 4);
            for (var t = 0; t < tokens; t += 3)
            {
                for (var o = 0; o < 171; o += 17)
                {
                    Assert.Equal(LinearProduct.Reference(layer, LayerDirection.Forward, o, words.AsSpan(t * 260, 260)), result[(t * 171) + o]);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_canceled_product_throws(string kernel)
    {
        var layer = TestLayers.Make(20, 20);
        var canceled = new CancellationToken(canceled: true);
        Assert.Throws<OperationCanceledException>(() => Multiply(kernel, layer, LayerDirection.Forward, new int[20], 1, 1, canceled));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Weights_disposed_before_a_product_are_refused_not_read(string kernel)
    {
        var gemm = Kernels.Named(kernel);
        var weights = gemm.Pack(TestLayers.Make(3, 3), LayerDirection.Forward, 1);
        weights.Dispose();
        Assert.Throws<ObjectDisposedException>(() => MultiplyPacked(gemm, weights, new int[3], 1, 1, TestContext.Current.CancellationToken));
    }

    private static void AssertExact(
        string kernel, int outFeatures, int inFeatures, int tokens, int bits, LayerDirection direction, int threads, ulong seed, bool extreme)
    {
        var layer = TestLayers.Make(outFeatures, inFeatures, bits, seed, extreme);
        var inputs = layer.Inputs(direction);
        var words = TestLayers.Words(tokens, inputs, seed);
        var result = Multiply(kernel, layer, direction, words, tokens, threads);
        for (var t = 0; t < tokens; t++)
        {
            for (var o = 0; o < layer.Outputs(direction); o++)
            {
                Assert.Equal(LinearProduct.Reference(layer, direction, o, words.AsSpan(t * inputs, inputs)), result[(t * layer.Outputs(direction)) + o]);
            }
        }
    }

    private static int[] Multiply(
        string kernel, QuantizedLayer layer, LayerDirection direction, int[] words, int tokens, int threads, CancellationToken? cancellationToken = null)
    {
        var gemm = Kernels.Named(kernel);
        using var weights = gemm.Pack(layer, direction, threads);
        return MultiplyPacked(gemm, weights, words, tokens, threads, cancellationToken ?? TestContext.Current.CancellationToken);
    }

    private static unsafe int[] MultiplyPacked(
        IntegerGemm gemm, PackedWeights weights, int[] words, int tokens, int threads, CancellationToken cancellationToken)
    {
        var (inputs, outputs) = (weights.Inputs, weights.Outputs);
        var source = new int[inputs * tokens];
        for (var t = 0; t < tokens; t++)
        {
            for (var i = 0; i < inputs; i++)
            {
                source[FeatureBlocks.WireIndex(i, t, inputs, tokens)] = words[(t * inputs) + i];
            }
        }

        // Guard words behind the target: a tail written too far would change them.
        const int guard = 32;
        var target = new int[(outputs * tokens) + guard];
        Array.Fill(target, int.MinValue);
        fixed (int* from = source, to = target)
        {
            gemm.Multiply(weights, WordMatrix.OnTheWire(from, inputs, tokens), WordMatrix.OnTheWire(to, outputs, tokens), threads, cancellationToken);
        }

        Assert.All(target[^guard..], word => Assert.Equal(int.MinValue, word));
        var result = new int[outputs * tokens];
        for (var t = 0; t < tokens; t++)
        {
            for (var o = 0; o < outputs; o++)
            {
                result[(t * outputs) + o] = target[FeatureBlocks.WireIndex(o, t, outputs, tokens)];
            }
        }

        return result;
    }
}
