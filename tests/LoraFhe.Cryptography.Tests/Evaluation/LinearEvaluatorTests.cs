using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CsCheck;

namespace LoraFhe.Cryptography.Tests;

public sealed class LinearEvaluatorTests
{
    [Fact]
    public void A_response_is_the_exact_product_of_the_request_for_any_shape_and_direction() =>
        Gen.Select(Gen.Int[1, 70], Gen.Int[1, 70], Gen.Int[1, 9], Gen.Int[8, 12], Gen.Bool, Gen.ULong).Sample(
            (outFeatures, inFeatures, tokens, bits, forward, seed) =>
            {
                var direction = forward ? LayerDirection.Forward : LayerDirection.Backward;
                var layer = TestLayers.Make(outFeatures, inFeatures, bits, seed);
                var (inputs, outputs) = (layer.Inputs(direction), layer.Outputs(direction));
                var binding = Binding.Compute(layer, direction, TestLayers.Seed());
                using var evaluator = new LinearEvaluator(layer, direction, binding, maxThreads: 1);
                var words = TestLayers.Words(tokens, inputs, seed);
                var request = TestLayers.Request(binding, words, tokens, inputs);
                var message = new byte[evaluator.ResponseLength(request)];
                evaluator.Evaluate(request, message);

                Assert.Equal(64 + (4 * outputs * tokens), message.Length);
                var response = EncryptedResponse.Parse(message, binding, TestLayers.Id(), outputs, tokens);
                for (var t = 0; t < tokens; t++)
                {
                    for (var o = 0; o < outputs; o++)
                    {
                        Assert.Equal(
                            LinearProduct.Reference(layer, direction, o, words.AsSpan(t * inputs, inputs)),
                            response.Words[(int)FeatureBlocks.WireIndex(o, t, outputs, tokens)]);
                    }
                }
            },
            iter: 60);

    [Fact]
    public void A_request_on_an_odd_address_gives_the_same_response()
    {
        var layer = TestLayers.Make(19, 37);
        using var evaluator = Evaluator(layer, out var binding);
        var request = TestLayers.Request(binding, TestLayers.Words(3, 37), 3, 37);
        var aligned = new byte[evaluator.ResponseLength(request)];
        evaluator.Evaluate(request, aligned);
        byte[] shifted = [0, .. request];
        var unaligned = new byte[aligned.Length + 3];
        evaluator.Evaluate(shifted.AsSpan(1), unaligned.AsSpan(3));
        Assert.Equal(aligned, unaligned[3..]);
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_bytes()
    {
        var layer = TestLayers.Make(400, 300, 9);
        var binding = Binding.Compute(layer, LayerDirection.Backward, TestLayers.Seed());
        var request = TestLayers.Request(binding, TestLayers.Words(301, 400), 301, 400);
        var hashes = new[] { 1, 2, 7, 0 }.Select(threads =>
        {
            using var evaluator = new LinearEvaluator(layer, LayerDirection.Backward, binding, threads);
            var response = new byte[evaluator.ResponseLength(request)];
            evaluator.Evaluate(request, response);
            return Convert.ToHexString(SHA256.HashData(response));
        });
        Assert.Single(hashes.Distinct());
    }

    [Theory]
    [InlineData(256)]
    [InlineData(257)]
    public void A_wide_layer_answers_many_tokens_exactly_an_even_number_or_an_odd_one(int tokens)
    {
        var layer = TestLayers.Make(512, 1024);
        using var evaluator = Evaluator(layer, out var binding);
        var words = TestLayers.Words(tokens, 1024);
        var message = Answer(evaluator, TestLayers.Request(binding, words, tokens, 1024));
        var response = EncryptedResponse.Parse(message, binding, TestLayers.Id(), 512, tokens);
        for (var t = 0; t < tokens; t++)
        {
            for (var o = t % 31; o < 512; o += 31)
            {
                Assert.Equal(
                    LinearProduct.Reference(layer, LayerDirection.Forward, o, words.AsSpan(t * 1024, 1024)),
                    response.Words[(int)FeatureBlocks.WireIndex(o, t, 512, tokens)]);
            }
        }
    }

    [Fact]
    public void Several_threads_may_evaluate_at_once()
    {
        var layer = TestLayers.Make(120, 130);
        using var evaluator = Evaluator(layer, out var binding);
        var requests = Enumerable.Range(1, 8).Select(n => TestLayers.Request(binding, TestLayers.Words(n * 5, 130, (ulong)n), n * 5, 130)).ToArray();
        var alone = requests.Select(request => Answer(evaluator, request)).ToArray();
        var together = new byte[requests.Length][];
        Parallel.For(0, requests.Length, i => together[i] = Answer(evaluator, requests[i]));
        Assert.Equal(alone, together);
    }

    [Fact]
    public void A_wire_exchange_never_changes()
    {
        // The bytes of one small exchange, request and response, recorded from Python's integers; a change here is a new version of the
        // wire form.
        var layer = TestLayers.Make(21, 18, 8);
        using var evaluator = Evaluator(layer, out var binding);
        var request = TestLayers.Request(binding, TestLayers.Words(5, 18), 5, 18);
        Assert.Equal("6CA92AEEA59CC583643F0BAFB47A0755BB8C2141536E6F00B3C79DFE7E305443", Convert.ToHexString(SHA256.HashData(request)));
        Assert.Equal("7B26E70919D7B38D9624CC129D8914BC1167BC8F642AD13F27D111A09CB0BE88", Convert.ToHexString(SHA256.HashData(Answer(evaluator, request))));
    }

    [Fact]
    public void A_refused_request_leaves_the_response_untouched()
    {
        var layer = TestLayers.Make(4, 5);
        using var evaluator = Evaluator(layer, out var binding);
        var request = TestLayers.Request(binding, new int[10], 2, 5);
        MemoryMarshal.Cast<byte, int>(request.AsSpan(64))[7] = EncryptedLinearParameters.HalfModulus + 1;
        var response = new byte[64 + (4 * 8)];
        Assert.Throws<InvalidDataException>(() => evaluator.Evaluate(request, response));
        Assert.All(response, b => Assert.Equal(0, b));
    }

    [Fact]
    public void A_response_of_another_length_or_place_is_refused_with_the_layers_name()
    {
        var layer = TestLayers.Make(4, 5);
        using var evaluator = Evaluator(layer, out var binding);
        var request = TestLayers.Request(binding, new int[5], 1, 5);
        var error = Assert.Throws<ArgumentException>("response", () => evaluator.Evaluate(request, new byte[79]));
        Assert.Contains("Layer 'layer', forward", error.Message);
        Assert.Contains("80", error.Message);
        Assert.Throws<ArgumentException>("response", () => evaluator.Evaluate(request.AsSpan(), request.AsSpan(0, 80)));
    }

    [Fact]
    public void Misuse_is_refused()
    {
        var layer = TestLayers.Make(2, 2);
        Assert.Throws<ArgumentNullException>("layer", () => new LinearEvaluator(null!, LayerDirection.Forward, default));
        Assert.Throws<ArgumentOutOfRangeException>("maxThreads", () => new LinearEvaluator(layer, LayerDirection.Forward, default, -1));
        var evaluator = Evaluator(layer, out var binding);
        var request = TestLayers.Request(binding, [1, 2], 1, 2);
        evaluator.Dispose();
        evaluator.Dispose();
        Assert.Throws<ObjectDisposedException>(() => evaluator.Evaluate(request, new byte[72]));
    }

    [Fact]
    public void A_response_that_would_not_fit_a_message_is_refused()
    {
        // 2¹⁴ tokens of one input are a small request; of 2¹⁵ outputs each they would be 2 GiB.
        var layer = QuantizedLayer.Create("m", "l", 8, 1 << 15, 1, new short[1 << 15], Enumerable.Repeat(1f, 1 << 15).ToArray());
        using var evaluator = Evaluator(layer, out var binding);
        var request = TestLayers.Request(binding, new int[1 << 14], 1 << 14, 1);
        var error = Assert.Throws<InvalidDataException>(() => evaluator.ResponseLength(request));
        Assert.Contains("2 GiB", error.Message);
    }

    [Fact]
    public void A_responses_length_is_its_header_and_four_bytes_a_word()
    {
        Assert.Equal(64 + (4 * 3 * 17), LinearEvaluator.ResponseLength(17, 3));
        Assert.Equal(64 + (4L * int.MaxValue * 2), LinearEvaluator.ResponseLength(int.MaxValue, 2));
        Assert.Equal(long.MaxValue, LinearEvaluator.ResponseLength(int.MaxValue, int.MaxValue));
    }

    private static LinearEvaluator Evaluator(QuantizedLayer layer, out Binding binding)
    {
        binding = Binding.Compute(layer, LayerDirection.Forward, TestLayers.Seed());
        return new LinearEvaluator(layer, LayerDirection.Forward, binding, maxThreads: 2);
    }

    private static byte[] Answer(LinearEvaluator evaluator, byte[] request)
    {
        var response = new byte[evaluator.ResponseLength(request)];
        evaluator.Evaluate(request, response);
        return response;
    }
}
