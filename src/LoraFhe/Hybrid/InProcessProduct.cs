using System.Numerics;
using System.Runtime.ExceptionServices;
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

    // Makes the client that calls on one thread; it is needed once a call is worth cutting.
    private readonly Lazy<EncryptedLinearClient> _partClient;
    private readonly int _threads;

    public InProcessProduct(
        EncryptedLinearClient client, Func<EncryptedLinearClient> partClient, Hint hint, LinearEvaluator server, MaskFiller? masks, int threads)
    {
        _client = client;
        _partClient = new Lazy<EncryptedLinearClient>(partClient);
        _hint = hint;
        _server = server;
        _masks = masks;
        _threads = threads;
    }

    /// <summary>Bytes of a call's responses, one for each part.</summary>
    public long ResponseLength(int tokens) => Parts(tokens).Sum(part => LinearEvaluator.ResponseLength(_server.Outputs, part.Tokens));

    /// <summary>Has the system begin to read the hint, if it is mapped and not in memory: the product will be asked for soon.</summary>
    public void ReadAhead() => _hint.ReadAhead();

    /// <summary>One call.</summary>
    /// <param name="rows">Float32 [tokens, inputs], finite.</param>
    /// <param name="tokens">Rows.</param>
    /// <param name="buffer">At least <see cref="ResponseLength"/> bytes: what comes back from the server.</param>
    /// <param name="destination">Float32 [tokens, outputs].</param>
    /// <returns>What crossed and what was computed.</returns>
    public FheTraffic Multiply(ReadOnlySpan<float> rows, int tokens, NativeBuffer buffer, Span<float> destination)
    {
        var parts = Parts(tokens);

        // A value that is not finite is refused before anything of any part is drawn: the whole call sees to that.
        return parts.Length > 1 && RowNorms.AllFinite(rows)
            ? MultiplyParts(rows, parts, buffer, destination)
            : MultiplyPart(Encrypt(rows, tokens), tokens, buffer, 0, destination, _threads);
    }

    private unsafe FheTraffic MultiplyParts(ReadOnlySpan<float> rows, (int First, int Tokens)[] parts, NativeBuffer buffer, Span<float> destination)
    {
        var client = _partClient.Value;
        var traffic = new FheTraffic[parts.Length];
        fixed (float* source = rows)
        fixed (float* target = destination)
        {
            var (from, to) = ((nint)source, (nint)target);
            try
            {
                Parallel.For(0, parts.Length, new ParallelOptions { MaxDegreeOfParallelism = parts.Length }, p =>
                {
                    var (first, tokens) = parts[p];
                    var own = new ReadOnlySpan<float>((float*)from + ((long)first * _server.Inputs), checked(tokens * _server.Inputs));
                    var result = new Span<float>((float*)to + ((long)first * _server.Outputs), checked(tokens * _server.Outputs));
                    var start = parts.Take(p).Sum(part => LinearEvaluator.ResponseLength(_server.Outputs, part.Tokens));
                    traffic[p] = MultiplyPart(client.Encrypt(own, tokens), tokens, buffer, start, result, maxThreads: 1);
                });
            }
            catch (AggregateException exception)
            {
                destination.Clear();
                ExceptionDispatchInfo.Throw(exception.InnerExceptions[0]);
            }
        }

        // One product all the same.
        return traffic.Aggregate((sum, part) => sum + part) with { Calls = 1 };
    }

    private unsafe FheTraffic MultiplyPart(EncryptedCall encrypted, int tokens, NativeBuffer buffer, long start, Span<float> destination, int maxThreads)
    {
        using var call = encrypted;
        var request = call.Ciphertext.Bytes;
        var response = new Span<byte>(buffer.Pointer + start, checked((int)LinearEvaluator.ResponseLength(_server.Outputs, tokens)));
        try
        {
            _server.Evaluate(request, response, maxThreads);
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

    // Masks made ahead are for whole calls, and a record is of whole calls.
    private (int First, int Tokens)[] Parts(int tokens) => TokenParts.Cut(tokens, _masks is null && _client.Recorder is null ? _threads : 1);

    private EncryptedCall Encrypt(ReadOnlySpan<float> rows, int tokens)
    {
        using var mask = _masks?.Take(_client, tokens);
        return (mask is null ? null : _client.TryEncrypt(rows, mask)) ?? _client.Encrypt(rows, tokens);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        if (_partClient.IsValueCreated)
        {
            _partClient.Value.Dispose();
        }

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
