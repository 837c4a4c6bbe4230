using System.Buffers.Binary;
using CsCheck;

namespace LoraFhe.Cryptography.Tests;

public sealed class HostileMessageTests
{
    private const int Features = 19;
    private const int Tokens = 5;

    private static readonly QuantizedLayer Layer = TestLayers.Make(7, Features);
    private static readonly Binding Expected = Binding.Compute(Layer, LayerDirection.Forward, TestLayers.Seed());

    /// <summary>What is done to a valid request, and what the refusal must say.</summary>
    public static TheoryData<string, string> Faults => new()
    {
        { "empty", "0 bytes; its header alone needs 64" },
        { "truncated header", "63 bytes; its header alone needs 64" },
        { "magic", "does not begin with 'LFQ1'" },
        { "response for request", "does not begin with 'LFQ1'" },
        { "version", "version 2; this program speaks version 1" },
        { "dropped bits", "8 dropped response bits; only 0" },
        { "reserved", "reserved byte" },
        { "zero tokens", "0 tokens of 19 features" },
        { "negative features", "5 tokens of -19 features" },
        { "huge", "2147483647 tokens of 2147483647 features; both must be at least 1 and fit 2 GiB" },
        { "wrapping size", "1073741824 tokens of 4 features; both must be at least 1 and fit 2 GiB" },
        { "truncated words", "5 tokens of 19 features, 444 bytes; it has 443" },
        { "trailing byte", "5 tokens of 19 features, 444 bytes; it has 445" },
        { "binding", "another layer, model, seed or quantization (binding " },
        { "fewer features", "19 features a token" },
        { "word above", "a word outside -1073694720 to 1073694720" },
        { "word below", "a word outside -1073694720 to 1073694720" },
        { "word lowest", "a word outside -1073694720 to 1073694720" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_refused_by_what_was_found_and_what_was_expected(string fault, string text)
    {
        var message = Break(fault);
        var expected = fault == "fewer features" ? Features + 1 : Features;
        var error = Assert.Throws<InvalidDataException>(() => EncryptedRequest.Parse(message, Expected, expected).Header.Tokens);
        Assert.Contains(text, error.Message);
        Assert.StartsWith("The encrypted request ", error.Message);
    }

    [Fact]
    public void Every_mutation_of_a_request_is_answered_or_refused_as_invalid_data()
    {
        using var evaluator = new LinearEvaluator(Layer, LayerDirection.Forward, Expected, maxThreads: 1);
        Mutations(ValidRequest()).Sample(
            message =>
            {
                try
                {
                    evaluator.Evaluate(message, new byte[evaluator.ResponseLength(message)]);
                }
                catch (InvalidDataException)
                {
                    // Refused by name: what hostile bytes deserve.
                }
            },
            iter: 20_000);
    }

    [Fact]
    public void Every_mutation_of_a_response_is_read_or_refused_as_invalid_data() =>
        Mutations(ValidResponse()).Sample(
            message =>
            {
                try
                {
                    EncryptedResponse.Parse(message, Expected, TestLayers.Id(), Layer.OutFeatures, Tokens);
                }
                catch (InvalidDataException)
                {
                    // Refused by name: what hostile bytes deserve.
                }
            },
            iter: 20_000);

    [Fact]
    public void A_response_to_another_call_or_of_another_size_is_refused()
    {
        var response = ValidResponse();
        var valid = EncryptedResponse.Parse(response, Expected, TestLayers.Id(), 7, Tokens);
        Assert.Equal((7 * Tokens, 7, Tokens), (valid.Words.Length, valid.Header.Features, valid.Header.Tokens));
        Assert.Contains("another call", Refusal(() => EncryptedResponse.Parse(response, Expected, TestLayers.Id(9), 7, Tokens).Header.Tokens));
        Assert.Contains("5 tokens; 6 were", Refusal(() => EncryptedResponse.Parse(response, Expected, TestLayers.Id(), 7, 6).Header.Tokens));
        Assert.Contains("7 features a token; the layer expects 8", Refusal(() => EncryptedResponse.Parse(response, Expected, TestLayers.Id(), 8, Tokens).Header.Tokens));
        Assert.Contains("binding", Refusal(() => EncryptedResponse.Parse(response, default, TestLayers.Id(), 7, Tokens).Header.Tokens));
        Assert.Contains("'LFR1'", Refusal(() => EncryptedResponse.Parse(ValidRequest(), Expected, TestLayers.Id(), 7, Tokens).Header.Tokens));
    }

    [Fact]
    public void A_refusal_never_quotes_a_word()
    {
        var message = ValidRequest();
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(64 + 40), 1234567890);
        Assert.DoesNotContain("1234567890", Refusal(() => EncryptedRequest.Parse(message, Expected, Features).Header.Tokens));
    }

    private static string Refusal(Func<object> parse) => Assert.Throws<InvalidDataException>(parse).Message;

    private static byte[] ValidRequest() => TestLayers.Request(Expected, TestLayers.Words(Tokens, Features), Tokens, Features);

    private static byte[] ValidResponse()
    {
        using var evaluator = new LinearEvaluator(Layer, LayerDirection.Forward, Expected, maxThreads: 1);
        var request = ValidRequest();
        var response = new byte[evaluator.ResponseLength(request)];
        evaluator.Evaluate(request, response);
        return response;
    }

    // Some bytes changed, mostly in the header, and perhaps another length.
    private static Gen<byte[]> Mutations(byte[] valid)
    {
        var change = Gen.Select(Gen.Frequency((4, Gen.Int[0, 63]), (1, Gen.Int[0, valid.Length - 1])), Gen.OneOf(Gen.Byte, Gen.OneOfConst<byte>(0, 1, 0x7f, 0x80, 0xff)));
        return Gen.Select(change.List[0, 6], Gen.Frequency((3, Gen.Const(valid.Length)), (1, Gen.Int[0, valid.Length + 70]))).Select((changes, length) =>
        {
            var message = valid.ToArray();
            foreach (var (at, value) in changes)
            {
                message[at] = value;
            }

            Array.Resize(ref message, length);
            return message;
        });
    }

    private static byte[] Break(string fault)
    {
        var message = ValidRequest();
        void Int32(int offset, int value) => BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(offset), value);
        switch (fault)
        {
            case "empty":
                return [];
            case "truncated header":
                return message[..63];
            case "magic":
                message[0] ^= 1;
                break;
            case "response for request":
                return ValidResponse();
            case "version":
                message[4] = 2;
                break;
            case "dropped bits":
                message[6] = 8;
                break;
            case "reserved":
                message[7] = 1;
                break;
            case "zero tokens":
                Int32(8, 0);
                break;
            case "negative features":
                Int32(12, -19);
                break;
            case "huge":
                Int32(8, int.MaxValue);
                Int32(12, int.MaxValue);
                break;
            case "wrapping size":
                // 4·2³⁰·4 bytes are 0 in 32 bits.
                Int32(8, 1 << 30);
                Int32(12, 4);
                break;
            case "truncated words":
                return message[..^1];
            case "trailing byte":
                return [.. message, 0];
            case "binding":
                message[63] ^= 0x80;
                break;
            case "word above":
                Int32(message.Length - 4, EncryptedLinearParameters.HalfModulus + 1);
                break;
            case "word below":
                Int32(64, -EncryptedLinearParameters.HalfModulus - 1);
                break;
            case "word lowest":
                Int32(64 + 20, int.MinValue);
                break;
        }

        return message;
    }
}
