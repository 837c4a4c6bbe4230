namespace LoraFhe.Cryptography.Client;

/// <summary>The right to read one answer, once. It owns the call's one-time secret and zeroes it however the reading ends.</summary>
public sealed class PendingDecryption : IDisposable
{
    private readonly EncryptedLinearClient _client;
    private readonly OneTimeSecret _secret;
    private readonly CallId _id;
    private readonly byte[]? _recordedRequest;

    internal PendingDecryption(EncryptedLinearClient client, OneTimeSecret secret, CallId id, byte[]? recordedRequest)
    {
        _client = client;
        _secret = secret;
        _id = id;
        _recordedRequest = recordedRequest;
    }

    /// <summary>Tokens of the call.</summary>
    public int Tokens => _secret.Tokens;

    /// <summary>Features of an answer's row.</summary>
    public int Outputs => _client.Outputs;

    /// <summary>What <see cref="Decrypt"/> spends.</summary>
    internal OneTimeSecret Secret => _secret;

    /// <summary>Decrypts, checks and scales the answer. The secret is erased whatever happens.</summary>
    /// <param name="response">The server's message.</param>
    /// <param name="destination">Float32 [tokens, outputs], row-major: forward W·x without the bias, backward the gradient of the inputs. All zeros if an exception is thrown.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> has another length; nothing was used.</exception>
    /// <exception cref="InvalidOperationException">This call was decrypted before, or disposed.</exception>
    /// <exception cref="InvalidDataException">The message is not the answer to this call, or failed its check. The session is failed; never retry by yourself.</exception>
    /// <exception cref="ObjectDisposedException">The client or its hint was disposed.</exception>
    public void Decrypt(ReadOnlySpan<byte> response, Span<float> destination)
    {
        if (destination.Length != (long)Tokens * Outputs)
        {
            throw Errors.ShortSpan(destination.Length, (long)Tokens * Outputs, nameof(destination));
        }

        _secret.BeginDecryption();
        var done = false;
        try
        {
            _client.Decrypt(response, _id, _secret, destination);
            _client.Recorder?.Record(_client.Layer, _client.Binding, _recordedRequest, response, _secret);
            done = true;
        }
        finally
        {
            _secret.EndDecryption();
            if (!done)
            {
                destination.Clear();
            }
        }
    }

    /// <summary>Zeroes the secret: the answer can no longer be read. A reading under way on another thread goes on and zeroes it at its end.</summary>
    public void Dispose() => _secret.Dispose();
}
