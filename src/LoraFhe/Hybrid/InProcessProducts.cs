using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;

namespace LoraFhe;

/// <summary>The products of one prepared model. Those that calibration asked for are made at once, another when it is first asked for.</summary>
internal sealed class InProcessProducts : IDisposable
{
    private static readonly LayerDirection[] Directions = [LayerDirection.Forward, LayerDirection.Backward];

    private readonly Dictionary<string, FheLayer> _layers;
    private readonly Dictionary<LayerId, InProcessProduct> _products = [];
    private readonly List<PublicMatrix> _matrices = [];

    // Which product was asked for after which, the last time: training asks in the same order at each step.
    private readonly Dictionary<InProcessProduct, InProcessProduct> _followers = [];
    private InProcessProduct? _last;

    private readonly HintStore _hints;
    private readonly SecretSource _secrets;
    private readonly InsecureTranscriptRecorder? _recorder;
    private readonly FheKernels _kernels;
    private readonly int _maxThreads;

    public InProcessProducts(
        IReadOnlyList<FheLayer> layers,
        PublicMatrixSeed seed,
        HintStore hints,
        SecretSource secrets,
        InsecureTranscriptRecorder? recorder,
        FheKernels kernels,
        int maxThreads,
        MasksAheadOptions? masksAhead)
    {
        Seed = seed;
        _layers = layers.ToDictionary(layer => layer.Weights.Name, StringComparer.Ordinal);
        _hints = hints;
        _secrets = secrets;
        _recorder = recorder;
        _kernels = kernels;
        _maxThreads = maxThreads;
        Masks = masksAhead is null ? null : new MaskFiller(masksAhead, MaskClock.System);
    }

    /// <summary>The masks made ahead; null where they are off.</summary>
    public MaskFiller? Masks { get; }

    /// <summary>The seed of the public matrix.</summary>
    public PublicMatrixSeed Seed { get; }

    /// <summary>Makes every product that calibration asked for.</summary>
    public void Prepare(IProgress<FheProgress>? progress, CancellationToken cancellationToken)
    {
        var needed = _layers.Values.SelectMany(layer => Directions.Where(layer.Needs).Select(direction => (Layer: layer, Direction: direction))).ToList();
        if (needed.Count == 0)
        {
            return;
        }

        // One matrix for all of them: as wide as the widest input.
        Matrix(needed.Max(product => product.Layer.Weights.Inputs(product.Direction)), cancellationToken);
        foreach (var (layer, direction) in needed)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Make(layer, direction, cancellationToken);
            progress?.Report(new FheProgress(FheStage.Prepare, layer.Weights.Name, _products.Count, needed.Count));
        }
    }

    /// <summary>A product that is about to be computed, or null if the model has no such layer. The hint of the one that will be asked for next is
    /// read meanwhile, if the system had no memory for it.</summary>
    public InProcessProduct? Find(LayerId layer)
    {
        if (!_products.TryGetValue(layer, out var product))
        {
            product = _layers.TryGetValue(layer.Name, out var found) ? Make(found, layer.Direction, CancellationToken.None) : null;
        }

        if (product is not null)
        {
            Follow(product);
        }

        return product;
    }

    private void Follow(InProcessProduct product)
    {
        if (_last is not null)
        {
            _followers[_last] = product;
        }

        _last = product;
        _followers.GetValueOrDefault(product)?.ReadAhead();
    }

    /// <summary>Zeroes the masks that wait; no call comes after it.</summary>
    public void StopMasks() => Masks?.Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        // First: it uses the products.
        StopMasks();
        foreach (var product in _products.Values)
        {
            product.Dispose();
        }

        foreach (var matrix in _matrices)
        {
            matrix.Dispose();
        }

        _products.Clear();
        _followers.Clear();
        _last = null;
        _matrices.Clear();
    }

    private InProcessProduct Make(FheLayer layer, LayerDirection direction, CancellationToken cancellationToken)
    {
        var matrix = Matrix(layer.Weights.Inputs(direction), cancellationToken);
        var hint = _hints.GetOrMake(layer.Weights, direction, matrix, _maxThreads, cancellationToken);
        EncryptedLinearClient? client = null;
        try
        {
            client = EncryptedLinearClient.Create(
                layer.Weights, direction, matrix, hint, _secrets, _kernels.Client.Kernel, layer.Norm(direction), _maxThreads);
            client.Recorder = _recorder;
            var binding = Binding.Compute(layer.Weights, direction, Seed);
            var product = new InProcessProduct(
                client, hint, new LinearEvaluator(layer.Weights, direction, binding, _kernels.Evaluation.Kernel, _maxThreads), Masks);
            _products.Add(client.Layer, product);
            return product;
        }
        catch
        {
            client?.Dispose();
            hint.Dispose();
            throw;
        }
    }

    // A wider matrix begins with a narrower one's rows, so a later product may bring its own; earlier clients keep theirs.
    private PublicMatrix Matrix(int rows, CancellationToken cancellationToken)
    {
        if (_matrices.Find(matrix => matrix.Rows >= rows) is { } wide)
        {
            return wide;
        }

        var expanded = PublicMatrix.Expand(Seed, rows, cancellationToken);
        _matrices.Add(expanded);
        return expanded;
    }
}
