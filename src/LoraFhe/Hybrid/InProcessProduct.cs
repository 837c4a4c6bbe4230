using System.Numerics;
using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;

namespace LoraFhe;

/// <summary>One layer and direction: the client's half and the server's, which share nothing but the messages.</summary>
internal sealed class InProcessProduct : IDisposable
{
    private readonly EncryptedLinearClient _client;
    private readonly Hint _hint;
    private readonly LinearEvaluator _server;

    private readonly MaskFiller? _masks;

    public InProcessProduct(EncryptedLinearClient client, Hint hint, LinearEvaluator server, MaskFiller? masks)
    {
        _client = client;
        _hint = hint;
        _server = server;
        _masks = masks;
    }

    /// <summary>Bytes of a call's response.</summary>
    public long ResponseLength(int tokens) => LinearEvaluator.ResponseLength(_server.Outputs, tokens);

    /// <summary>Has the system begin to read the hint, if it is mapped and not in memory: the product will be asked for soon.</summary>
    public void ReadAhead() => _hint.ReadAhead();

    /// <summary>One call.</summary>
    /// <param name="rows">Float32 [tokens, inputs], finite.</param>
    /// <param name="tokens">Rows.</param>
    /// <param name="buffer">At least <see cref="ResponseLength"/> bytes: what comes back from the server.</param>
    /// <param name="destination">Float32 [tokens, outputs].</param>
    /// <returns>What crossed and what was computed.</returns>
    public unsafe FheTraffic Multiply(ReadOnlySpan<float> rows, int tokens, NativeBuffer buffer, Span<float> destination)
    {
        using var call = Encrypt(rows, tokens);
        var request = call.Ciphertext.Bytes;
        var response = new Span<byte>(buffer.Pointer, checked((int)ResponseLength(tokens)));
        try
        {
            _server.Evaluate(request, response);
            call.Decryption.Decrypt(response, destination);
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException(Errors.CallFailed(_client.Layer.Name, _client.Layer.Direction, exception.Message), exception);
        }

        GC.KeepAlive(buffer);
        var (coefficients, masks) = CostOfMasks(tokens);
        return new FheTraffic
        {
            Calls = 1,
            Tokens = tokens,
            Coefficients = coefficients,
            BytesUp = request.Length,
            BytesDown = response.Length,
            ServerMultiplyAdds = (long)tokens * _server.Inputs * _server.Outputs,
            ClientMultiplyAdds = ((double)_server.Inputs + _server.Outputs) * masks,
        };
    }

    private EncryptedCall Encrypt(ReadOnlySpan<float> rows, int tokens)
    {
        using var mask = _masks?.Take(_client, tokens);
        return (mask is null ? null : _client.TryEncrypt(rows, mask)) ?? _client.Encrypt(rows, tokens);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _hint.Dispose();
        _server.Dispose();
    }

    /// <summary>Coefficients of a call's groups, and multiply-adds of one feature's masks: for each coefficient of each group, unused ones included, the k of ⟨a, s⟩ and its share
    /// of the transform's r/2 · log₂ r butterflies.</summary>
    private static (long Coefficients, double MultiplyAdds) CostOfMasks(int tokens)
    {
        var (coefficients, sum) = (0L, 0.0);
        foreach (var group in TokenGroup.Cut(tokens))
        {
            coefficients += group.Degree;
            sum += group.Degree * ((EncryptedLinearParameters.SecretDimension / (double)group.Degree) + (BitOperations.Log2((uint)group.Degree) / 2.0));
        }

        return (coefficients, sum);
    }
}
