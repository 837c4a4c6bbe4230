namespace LoraFhe.Cryptography.Client;

/// <summary>The data owner's half of one frozen layer's product: encrypts rows, and reads the answers with the hint.</summary>
/// <remarks>
/// Every call has fresh secrets, so calls may run in parallel and be repeated, and no checkpoint need hold any of this. Holds no weights: only their hint, norms, scales and
/// the check's vectors. Safe for use by several threads. Source: docs/scheme.md, Protocol.
/// </remarks>
public sealed unsafe partial class EncryptedLinearClient : IDisposable
{
    private readonly PublicMatrix _matrix;
    private readonly Hint _hint;
    private readonly SecretSource _source;
    private readonly ResponseVerifier _verifier;
    private readonly ClientKernel _kernel;
    private readonly double[] _outputChannels;
    private readonly byte[] _keyContext;
    private readonly int _maxThreads;
    private readonly MaskClock _maskClock;
    private readonly Lifetime _lifetime;
    private readonly SecretMemoryPool _secrets;
    private readonly ScratchPool _scratch = ScratchPool.Shared;
    private long _clampedRows;

    private EncryptedLinearClient(
        QuantizedLayer layer,
        LayerDirection direction,
        PublicMatrix a,
        Hint hint,
        double? fixedNorm,
        int maxThreads,
        SecretSource source,
        ClientKernel kernel,
        SecretMemoryPool secrets,
        MaskClock maskClock)
    {
        Layer = new LayerId(layer.Name, direction);
        Binding = hint.Binding;
        Outputs = layer.Outputs(direction);
        Encoder = TokenEncoder.Create(layer, direction, fixedNorm);
        _matrix = a;
        _hint = hint;
        _source = source;
        _kernel = kernel;
        _secrets = secrets;
        _maskClock = maskClock;
        _maxThreads = maxThreads;
        _keyContext = KeyDerivation.Context(a.Seed, Layer);
        _outputChannels = new double[FeatureBlocks.Count(Outputs) * FeatureBlocks.Width];
        for (var o = 0; o < Outputs; o++)
        {
            _outputChannels[o] = direction == LayerDirection.Forward ? layer.Scales[o] : 1;
        }

        _verifier = ResponseVerifier.Create(layer, direction, source, maxThreads);
        _lifetime = new Lifetime(this, _verifier.Dispose);
    }

    /// <summary>The product.</summary>
    public LayerId Layer { get; }

    /// <summary>The product's fingerprint; it is in every message.</summary>
    public Binding Binding { get; }

    /// <summary>Features of a row to encrypt.</summary>
    public int Inputs => Encoder.Features;

    /// <summary>Features of an answer's row.</summary>
    public int Outputs { get; }

    /// <summary>The instruction set in use: "Avx512", "Avx2", "Portable256".</summary>
    public string KernelName => _kernel.Name;

    /// <summary>How rows become integers; what disable and simulate use too.</summary>
    public TokenEncoder Encoder { get; }

    /// <summary>Rows so far that were longer than the calibrated norm. Known to the data owner only.</summary>
    internal long ClampedRows => Interlocked.Read(ref _clampedRows);

    /// <summary>Gets every call with its spent secrets, where the user asked for a record.</summary>
    internal InsecureTranscriptRecorder? Recorder { get; set; }

    /// <summary>Makes the data owner's half of one product; draws the check's two secret vectors.</summary>
    /// <param name="layer">The frozen layer. Not kept: only norms, scales and the check's products are.</param>
    /// <param name="direction">Which of its products.</param>
    /// <param name="a">The public matrix. Borrowed: dispose it after the client.</param>
    /// <param name="hint">The product's hint. Borrowed: dispose it after the client.</param>
    /// <param name="fixedNorm">Static calibration: one norm for all rows; a longer row is scaled down to it. None: each row has its own.</param>
    /// <param name="maxThreads">Threads a call may use; 0 for all, 1 for the caller's only.</param>
    /// <exception cref="ArgumentException">The matrix has too few rows, the hint is of another product, or the weights leave no range.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="fixedNorm"/> or <paramref name="maxThreads"/> is out of range.</exception>
    public static EncryptedLinearClient Create(
        QuantizedLayer layer,
        LayerDirection direction,
        PublicMatrix a,
        Hint hint,
        double? fixedNorm = null,
        int maxThreads = 0) =>
        Create(layer, direction, a, hint, KernelSecretSource.Instance, ClientKernels.Best, fixedNorm, maxThreads);

    /// <summary>Encrypts rows under fresh secrets.</summary>
    /// <param name="rows">Float32 [tokens, inputs], row-major, finite.</param>
    /// <param name="tokens">Rows, at least 1.</param>
    /// <returns>The message, and what reads its answer. The caller disposes it.</returns>
    /// <exception cref="ArgumentException">A length is wrong, or a value is not finite; no secret was drawn.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The secrets of so many tokens do not fit one call; nothing was drawn.</exception>
    /// <exception cref="InvalidDataException">The hint's file is damaged; nothing was drawn.</exception>
    /// <exception cref="ObjectDisposedException">The client, its hint or its matrix was disposed.</exception>
    public EncryptedCall Encrypt(ReadOnlySpan<float> rows, int tokens)
    {
        Encoder.Check(rows.Length, tokens);
        var entered = false;
        var held = false;
        _lifetime.Enter();
        try
        {
            _hint.BeginUse();
            entered = true;
            _hint.Check(_maxThreads);
            _matrix.Buffer.DangerousAddRef(ref held);
            return EncryptCore(rows, tokens);
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

    /// <summary>Zeroes and frees the check's vectors, once no call is under way.</summary>
    public void Dispose() => _lifetime.Dispose();

    /// <summary>As the public factory, with a chosen source, kernel, pool and clock.</summary>
    internal static EncryptedLinearClient Create(
        QuantizedLayer layer,
        LayerDirection direction,
        PublicMatrix a,
        Hint hint,
        SecretSource source,
        ClientKernel kernel,
        double? fixedNorm = null,
        int maxThreads = 0,
        SecretMemoryPool? secrets = null,
        MaskClock? maskClock = null)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(hint);
        if (maxThreads < 0)
        {
            throw Errors.Threads(maxThreads, nameof(maxThreads));
        }

        var id = new LayerId(layer.Name, direction);
        if (a.Rows < layer.Inputs(direction))
        {
            throw Errors.MatrixRows(id, a.Rows, layer.Inputs(direction), nameof(a));
        }

        var expected = Binding.Compute(layer, direction, a.Seed);
        return hint.Binding == expected
            ? new EncryptedLinearClient(layer, direction, a, hint, fixedNorm, maxThreads, source, kernel, secrets ?? SecretMemoryPool.Shared, maskClock ?? MaskClock.System)
            : throw Errors.HintBinding(id, hint.Binding, expected, nameof(hint));
    }

    /// <summary>Reads an answer into the destination; throws if it is not what was asked for. The caller erases secret and, after an exception, destination.</summary>
    internal void Decrypt(ReadOnlySpan<byte> response, CallId id, OneTimeSecret secret, Span<float> destination)
    {
        var entered = false;
        _lifetime.Enter();
        try
        {
            _hint.BeginUse();
            entered = true;
            var words = EncryptedResponse.Parse(response, Binding, id, Outputs, secret.Tokens).Words;
            fixed (int* source = words)
            fixed (float* target = destination)
            fixed (double* channels = _outputChannels)
            {
                var decryptor = new Decryptor(_kernel, _hint, _verifier, secret, source, target, channels, Outputs);
                if (!decryptor.Run(_scratch, _secrets, _maxThreads))
                {
                    throw Errors.CheckFailed(Layer);
                }
            }
        }
        finally
        {
            if (entered)
            {
                _hint.EndUse();
            }

            _lifetime.Exit();
        }
    }

    private EncryptedCall EncryptCore(ReadOnlySpan<float> rows, int tokens)
    {
        var secret = new OneTimeSecret(Layer, TokenGroup.Cut(tokens), tokens, _secrets);
        Ciphertext? ciphertext = null;
        try
        {
            ciphertext = Ciphertext.Create(Binding, CallId.Generate(), Inputs, tokens);
            fixed (float* source = rows)
            fixed (int* words = ciphertext.Words)
            fixed (double* channels = Encoder.Channels)
            {
                var encryptor = new Encryptor(_kernel, _matrix, _verifier, Encoder, Layer, secret, source, words, channels, _maxThreads);
                _ = Interlocked.Add(ref _clampedRows, encryptor.Run(_source, _keyContext, _scratch, _secrets));
            }

            return Pending(secret, ciphertext);
        }
        catch
        {
            secret.Dispose();
            ciphertext?.Dispose();
            throw;
        }
    }

    private EncryptedCall Pending(OneTimeSecret secret, Ciphertext ciphertext)
    {
        var request = Recorder is null ? null : ciphertext.Bytes.ToArray();
        return new EncryptedCall(ciphertext, new PendingDecryption(this, secret, ciphertext.Id, request));
    }
}
