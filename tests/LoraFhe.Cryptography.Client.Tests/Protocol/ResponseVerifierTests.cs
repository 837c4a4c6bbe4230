using System.Buffers.Binary;
using CsCheck;

namespace LoraFhe.Cryptography.Client.Tests.Protocol;

/// <summary>An evaluator that lies, in every way a message can be wrong.</summary>
public sealed class ResponseVerifierTests
{
    private const string Failed =
        "Layer 'layer', forward: the response failed its check: it is not the product of these weights and this request. The session is failed; nothing is retried.";

    [Fact]
    public void One_changed_word_anywhere_is_caught()
    {
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[1, 150], Gen.Int[0, 30], Gen.ULong).Sample(
            static (inputs, outputs, tokens, bit, seed) =>
            {
                using var session = new Session(Layers.Random(outputs, inputs, 8, seed), LayerDirection.Forward, insecureSeed: null);
                using var call = session.Client.Encrypt(Layers.Rows(tokens, inputs, seed), tokens);
                var response = session.Answer(call);
                var place = MessageHeader.Size + (4 * (int)(seed % (ulong)(outputs * tokens)));
                var word = BinaryPrimitives.ReadInt32LittleEndian(response.AsSpan(place));
                var changed = Modular.Center((uint)(((long)Modular.FromCentered(word) + (1L << bit)) % Modular.Modulus));
                BinaryPrimitives.WriteInt32LittleEndian(response.AsSpan(place), changed);
                AssertFails(call, response, outputs * tokens, Failed);
            },
            iter: 60,
            threads: 1);
    }

    [Fact]
    public void Other_weights_are_caught()
    {
        var layer = Layers.Random(20, 30, 8, 1);
        using var session = new Session(layer, LayerDirection.Forward, insecureSeed: null);
        var codes = layer.Codes.ToArray();
        codes[77]++;
        codes[77] = Math.Min(codes[77], (short)126);
        codes[78] = (short)(codes[78] == 0 ? 1 : 0);
        using var liar = new LinearEvaluator(QuantizedLayer.Create("tests", "layer", 8, 20, 30, codes, layer.Scales.ToArray()), LayerDirection.Forward, session.Client.Binding, 1);
        using var call = session.Client.Encrypt(Layers.Rows(9, 30, 2), 9);
        var response = new byte[LinearEvaluator.ResponseLength(20, 9)];
        liar.Evaluate(call.Ciphertext.Bytes, response);
        AssertFails(call, response, 180, Failed);
    }

    [Fact]
    public void Another_calls_words_under_this_calls_id_are_caught()
    {
        using var session = new Session(Layers.Random(5, 6, 8, 1), LayerDirection.Forward, insecureSeed: null);
        var rows = Layers.Rows(3, 6, 2);
        using var first = session.Client.Encrypt(rows, 3);
        using var second = session.Client.Encrypt(rows, 3);
        var response = session.Answer(second);
        session.Answer(first).AsSpan(0, MessageHeader.Size).CopyTo(response);
        AssertFails(first, response, 15, Failed);
    }

    [Fact]
    public void An_answer_of_zeros_is_caught()
    {
        using var session = new Session(Layers.Random(5, 6, 8, 1), LayerDirection.Forward, insecureSeed: null);
        using var call = session.Client.Encrypt(Layers.Rows(3, 6, 2), 3);
        var response = session.Answer(call);
        response.AsSpan(MessageHeader.Size).Clear();
        AssertFails(call, response, 15, Failed);
    }

    [Fact]
    public void A_swapped_response_is_refused_by_its_id()
    {
        using var session = new Session(Layers.Random(5, 6, 8, 1), LayerDirection.Forward);
        using var first = session.Client.Encrypt(Layers.Rows(3, 6, 2), 3);
        using var second = session.Client.Encrypt(Layers.Rows(3, 6, 3), 3);
        AssertFails(first, session.Answer(second), 15, "The encrypted response answers another call: its id is not the one that was sent.");
    }

    [Fact]
    public void Another_layers_response_is_refused_by_its_binding()
    {
        using var session = new Session(Layers.Random(5, 6, 8, 1), LayerDirection.Forward);
        using var other = new Session(Layers.Random(5, 6, 8, 2), LayerDirection.Forward);
        using var call = session.Client.Encrypt(Layers.Rows(3, 6, 2), 3);
        using var otherCall = other.Client.Encrypt(Layers.Rows(3, 6, 2), 3);
        AssertFails(
            call,
            other.Answer(otherCall),
            15,
            $"The encrypted response was made for another layer, model, seed or quantization (binding {other.Client.Binding.Prefix}, expected {session.Client.Binding.Prefix}).");
    }

    [Theory]
    [InlineData(1073694721)]
    [InlineData(-1073694721)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void A_word_out_of_range_is_refused(int word)
    {
        using var session = new Session(Layers.Random(5, 6, 8, 1), LayerDirection.Forward);
        using var call = session.Client.Encrypt(Layers.Rows(3, 6, 2), 3);
        var response = session.Answer(call);
        BinaryPrimitives.WriteInt32LittleEndian(response.AsSpan(MessageHeader.Size + 8), word);
        AssertFails(call, response, 15, "The encrypted response has a word outside -1073694720 to 1073694720.");
    }

    [Fact]
    public void Every_length_but_the_right_one_is_refused()
    {
        using var session = new Session(Layers.Random(5, 6, 8, 1), LayerDirection.Forward);
        foreach (var change in (int[])[-500, -4, -1, 1, 4])
        {
            using var call = session.Client.Encrypt(Layers.Rows(3, 6, 2), 3);
            var response = session.Answer(call);
            Array.Resize(ref response, Math.Max(0, response.Length + change));
            AssertFails(call, response, 15, expected: null);
        }
    }

    [Fact]
    public void A_wrong_hint_is_caught()
    {
        var layer = Layers.Random(5, 6, 8, 1);
        using var matrix = Layers.Matrix(PublicMatrixSeed.Generate(), 6);
        using var hint = Layers.HintOf(layer, LayerDirection.Forward, matrix);
        unsafe
        {
            hint.BlockPointer(0)[100] ^= 1;
        }

        using var client = EncryptedLinearClient.Create(layer, LayerDirection.Forward, matrix, hint);
        using var evaluator = new LinearEvaluator(layer, LayerDirection.Forward, client.Binding, 1);
        using var call = client.Encrypt(Layers.Rows(3, 6, 2), 3);
        var response = new byte[LinearEvaluator.ResponseLength(5, 3)];
        evaluator.Evaluate(call.Ciphertext.Bytes, response);
        AssertFails(call, response, 15, Failed);
    }

    private static void AssertFails(EncryptedCall call, byte[] response, int length, string? expected)
    {
        var destination = new float[length];
        Array.Fill(destination, 7);
        var error = Assert.Throws<InvalidDataException>(() => call.Decryption.Decrypt(response, destination));
        Assert.Equal(expected ?? error.Message, error.Message);
        Assert.All(destination, static x => Assert.Equal(0, x));
        Assert.Throws<InvalidOperationException>(() => call.Decryption.Decrypt(response, destination));
    }
}
