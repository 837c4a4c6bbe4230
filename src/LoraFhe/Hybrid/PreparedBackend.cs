using LoraFhe.Cryptography;
using Microsoft.Extensions.Logging;

namespace LoraFhe;

/// <summary>The backend of execute, which is made ready for the compiled layers when execute first needs it: the other modes hold no hints.</summary>
internal sealed class PreparedBackend
{
    private readonly IFheBackend _backend;
    private readonly ILogger _logger;
    private IReadOnlyList<FheLayer> _layers = [];
    private IProgress<FheProgress>? _progress;

    // A preparation that failed may have left something in a backend: only what was asked for nothing holds nothing.
    private bool _wasAsked;
    private bool _isReady;

    public PreparedBackend(IFheBackend backend, ILogger logger)
    {
        _backend = backend;
        _logger = logger;
    }

    /// <inheritdoc cref="IFheBackend.Name"/>
    public string Name => _backend.Name;

    /// <summary>Sets the layers whose products will be asked for, none if the list is empty, and lets go of those that were made ready before.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="progress">Told of a preparation that nobody gives another to.</param>
    public void Expect(IReadOnlyList<FheLayer> layers, IProgress<FheProgress>? progress)
    {
        _isReady = false;
        if (_wasAsked)
        {
            _backend.Prepare([], progress: null, CancellationToken.None);
            _wasAsked = false;
        }

        (_layers, _progress) = (layers, progress);
    }

    /// <summary>Makes every product ready; does nothing if that was done. What fails or is stopped can be tried again.</summary>
    public void MakeReady(IProgress<FheProgress>? progress, CancellationToken cancellationToken)
    {
        if (_isReady)
        {
            return;
        }

        _wasAsked = true;
        _backend.Prepare(_layers, progress ?? _progress, cancellationToken);
        (_backend as InProcessFheBackend)?.Kernels.WarnOfRejected(_logger);
        _isReady = true;
    }

    /// <inheritdoc cref="IFheBackend.Multiply"/>
    public void Multiply(LayerId layer, ReadOnlySpan<float> rows, int tokens, Span<float> destination)
    {
        MakeReady(progress: null, CancellationToken.None);
        _backend.Multiply(layer, rows, tokens, destination);
    }
}
