using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Client;

/// <content>Masks made ahead of their rows.</content>
public sealed unsafe partial class EncryptedLinearClient
{
    /// <summary>Makes the mask of one call before its rows are there. Read the remarks of <see cref="MaskAhead"/> first: it gives something up.</summary>
    /// <param name="tokens">Rows of the call, at least 1.</param>
    /// <returns>What <see cref="Encrypt(ReadOnlySpan{float}, MaskAhead)"/> spends; usable for <see cref="MaskAhead.MaxAge"/>. The caller disposes it.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="tokens"/> is below 1, or the secrets of so many do not fit one call; nothing was drawn.</exception>
    /// <exception cref="InvalidDataException">The hint's file is damaged; nothing was drawn.</exception>
    /// <exception cref="ObjectDisposedException">The client, its hint or its matrix was disposed.</exception>
    public MaskAhead MakeMask(int tokens) => MakeMask(tokens, MaskAhead.MaxAge, _maxThreads);

    /// <summary>Encrypts rows with a mask made ahead. The mask is spent whatever happens, and zeroed unless a message comes of it.</summary>
    /// <param name="rows">Float32 [tokens, inputs], row-major, finite; as many tokens as the mask has.</param>
    /// <param name="mask">A mask of this client.</param>
    /// <returns>The message, and what reads its answer. The caller disposes it.</returns>
    /// <exception cref="ArgumentException">The mask is another client's, or <paramref name="rows"/> has another length: the mask is as it was. Or a value is not finite.</exception>
    /// <exception cref="InvalidOperationException">The mask was spent before, is too old, or was disposed.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public EncryptedCall Encrypt(ReadOnlySpan<float> rows, MaskAhead mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        if (!mask.IsOf(this))
        {
            throw Errors.ForeignMask(Layer, nameof(mask));
        }

        return TryEncrypt(rows, mask) ?? throw mask.Refusal();
    }

    /// <summary>As the public member, but null where the mask cannot be used any more.</summary>
    internal EncryptedCall? TryEncrypt(ReadOnlySpan<float> rows, MaskAhead mask)
    {
        Encoder.Check(rows.Length, mask.Tokens);
        _lifetime.Enter();
        try
        {
            return mask.TryTake(out var secret, out var ciphertext) ? EncryptWithMask(rows, secret, ciphertext) : null;
        }
        finally
        {
            _lifetime.Exit();
        }
    }

    /// <summary>As the public member, with a chosen age and number of threads.</summary>
    internal MaskAhead MakeMask(int tokens, TimeSpan maxAge, int maxThreads)
    {
        Encoder.CheckTokens(tokens);
        var entered = false;
        var held = false;
        _lifetime.Enter();
        try
        {
            _hint.BeginUse();
            entered = true;
            _hint.Check(maxThreads);
            _matrix.Buffer.DangerousAddRef(ref held);
            return MakeMaskCore(tokens, maxAge, maxThreads);
        }
        finally
        {
            if (held)
            {
                _matrix.Buffer.DangerousRelease();
            }

            if (entered)
            {
                _hint.EndUse();
            }

            _lifetime.Exit();
        }
    }

    /// <summary>Bytes of a mask.</summary>
    internal long MaskLength(int tokens) =>
        ((long)tokens * Inputs * sizeof(int)) + AnswerMaskLength(tokens) + OneTimeSecret.LengthOf(TokenGroup.Cut(tokens).Length, tokens);

    private MaskAhead MakeMaskCore(int tokens, TimeSpan maxAge, int maxThreads)
    {
        if (AnswerMaskLength(tokens) > Array.MaxLength)
        {
            throw Errors.TooManyTokens(Layer, tokens, nameof(tokens));
        }

        var made = _maskClock.Now();
        var secret = new OneTimeSecret(Layer, TokenGroup.Cut(tokens), tokens, _secrets);
        Ciphertext? ciphertext = null;
        Span<byte> root = stackalloc byte[KeyDerivation.KeySize];
        try
        {
            ciphertext = Ciphertext.Create(Binding, CallId.Generate(), Inputs, tokens);
            secret.AddAnswerMasks((int)AnswerMaskLength(tokens));
            _source.DrawRootAhead(Layer, root);
            fixed (int* words = ciphertext.Words)
            {
                var maker = new MaskMaker(_kernel, _verifier, secret, _scratch, maxThreads);
                maker.MaskRequest(root, _keyContext, _matrix, Inputs, words, _secrets);
                maker.MaskAnswer(_hint);
            }

            return new MaskAhead(this, secret, ciphertext, MaskLength(tokens), _maskClock, made, maxAge);
        }
        catch
        {
            MaskAhead.Erase(secret, ciphertext);
            throw;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(root);
        }
    }

    private EncryptedCall EncryptWithMask(ReadOnlySpan<float> rows, OneTimeSecret secret, Ciphertext ciphertext)
    {
        try
        {
            fixed (float* source = rows)
            fixed (int* words = ciphertext.Words)
            fixed (double* channels = Encoder.Channels)
            {
                var encryptor = new MaskedEncryptor(_kernel, _verifier, Encoder, secret, source, words, channels, _maxThreads);
                var (finite, clamped) = encryptor.Run(_scratch, _secrets);
                if (!finite)
                {
                    throw Errors.NotFinite(Layer, nameof(rows));
                }

                _ = Interlocked.Add(ref _clampedRows, clamped);
            }

            return Pending(secret, ciphertext);
        }
        catch
        {
            MaskAhead.Erase(secret, ciphertext);
            throw;
        }
    }

    private long AnswerMaskLength(int tokens) => (long)FeatureBlocks.Count(Outputs) * FeatureBlocks.Width * tokens * sizeof(int);
}
