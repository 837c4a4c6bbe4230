using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;

namespace LoraFhe;

/// <summary>
/// Both halves of the encrypted product in one process, meeting as bytes only: the client encrypts rows to a message, the evaluator turns
/// it into another without any key, the client decrypts and checks that. The default backend.
/// </summary>
/// <remarks>
/// Hints are the client's own, so every response is verified; keys are drawn for each call and zeroed. One call at a time.
/// Source: docs/scheme.md.
/// </remarks>
public sealed class InProcessFheBackend : IFheBackend
{
    private readonly InProcessFheOptions _options;
    private readonly SecretSource _secrets;
    private readonly InsecureTranscriptRecorder? _recorder;
    private readonly FheKernels? _kernels;
    private readonly HintStore _hints;
    private InProcessProducts? _products;
    private NativeBuffer? _response;
    private bool _isFailed;

    /// <summary>A backend that has nothing prepared.</summary>
    /// <param name="options">Hints and threads; null: the defaults.</param>
    /// <exception cref="ArgumentException">The options are wrong; the text names every fault.</exception>
    /// <exception cref="IOException">The hint folder cannot be made; the text names it.</exception>
    public InProcessFheBackend(InProcessFheOptions? options = null)
        : this(options ?? new InProcessFheOptions(), KernelSecretSource.Instance)
    {
    }

    /// <summary>With a chosen source of randomness and chosen kernels, for tests, and a record of all calls, for those who want to check
    /// them.</summary>
    internal InProcessFheBackend(
        InProcessFheOptions options, SecretSource secrets, InsecureTranscriptRecorder? recorder = null, FheKernels? kernels = null)
    {
        if (options.Validate() is { Count: > 0 } faults)
        {
            throw new ArgumentException(string.Join(" ", faults), nameof(options));
        }

        _options = options;
        _secrets = secrets;
        _recorder = recorder;
        _kernels = kernels;
        try
        {
            _hints = new HintStore(options.HintFolder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new IOException(Errors.FolderUnusable(nameof(options.HintFolder), options.HintFolder!, exception.Message), exception);
        }
    }

    /// <inheritdoc/>
    public string Name => "in-process";

    /// <summary>The instruction set of the evaluating half, such as <c>Avx2</c>.</summary>
    public static string KernelName => LinearEvaluator.KernelName;

    /// <summary>What both halves compute with.</summary>
    internal FheKernels Kernels => _kernels ?? FheKernels.OfThisProcess;

    /// <summary>The masks made ahead; null where they are off or nothing is prepared.</summary>
    internal MaskFiller? Masks => _products?.Masks;

    /// <inheritdoc/>
    public FheTraffic Traffic { get; private set; }

    /// <summary>The seed of the public matrix that hints are made for; null before <see cref="Prepare"/>.</summary>
    public PublicMatrixSeed? Seed => _products?.Seed;

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">A file of the hint folder was made for other weights, or is damaged; the text names it and the cure.</exception>
    /// <exception cref="IOException">A hint cannot be read or written.</exception>
    /// <exception cref="ArgumentException">A layer's weights leave no room for its inputs; the text names it.</exception>
    /// <remarks>With no layers it forgets weights, hints and secrets; the files of a hint folder stay.</remarks>
    public void Prepare(IReadOnlyList<FheLayer> layers, IProgress<FheProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(layers);
        if (layers.Count == 0)
        {
            Dispose();
            return;
        }

        var seed = _options.HintFolder is { } folder ? SeedFile.ReadOrMake(folder) : PublicMatrixSeed.Generate();
        var products = new InProcessProducts(layers, seed, _hints, _secrets, _recorder, Kernels, _options.MaxThreads, _options.MasksAhead);
        try
        {
            products.Prepare(progress, cancellationToken);
        }
        catch
        {
            products.Dispose();
            throw;
        }

        _products?.Dispose();
        _products = products;
        _isFailed = false;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">The response failed its check, or a hint's file is damaged. The session is over: nothing is sent
    /// until <see cref="Prepare"/> starts another.</exception>
    public void Multiply(LayerId layer, ReadOnlySpan<float> rows, int tokens, Span<float> destination)
    {
        if (_isFailed)
        {
            throw new InvalidOperationException(Errors.SessionFailed(layer.Name, layer.Direction));
        }

        var product = _products?.Find(layer) ?? throw new InvalidOperationException(Errors.NotPrepared(layer.Name, layer.Direction));
        var length = product.ResponseLength(tokens);
        if (_response is null || _response.Length < length)
        {
            _response?.Dispose();
            _response = NativeBuffer.Allocate(length);
        }

        try
        {
            Traffic += product.Multiply(rows, tokens, _response, destination);
        }
        catch (InvalidDataException)
        {
            // Going on as if nothing had happened would tell whoever sent the response which of them pass.
            _isFailed = true;
            _products.StopMasks();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _products?.Dispose();
        _products = null;
        _response?.Dispose();
        _response = null;
    }
}
