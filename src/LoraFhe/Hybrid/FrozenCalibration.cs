using LoraFhe.Cryptography;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>What the calibration batch asks of one layer: which products, and how long their rows are.</summary>
/// <param name="weights">The layer's integers.</param>
/// <param name="standIn">Computes the products where there is no float weight to do it; owned. Null: there is.</param>
internal sealed class FrozenCalibration(QuantizedLayer weights, FrozenLayer? standIn) : IDisposable
{
    private double _forwardNorm;
    private double _backwardNorm;

    /// <summary>What computes in place of the float weight; null if that is there.</summary>
    public FrozenLayer? StandIn => standIn;

    /// <summary>Whether the forward product was asked for.</summary>
    public bool NeedsForward { get; private set; }

    /// <summary>Whether the backward product was asked for.</summary>
    public bool NeedsBackward { get; private set; }

    /// <summary>Notes one product.</summary>
    public void Record(Tensor rows, LayerDirection direction)
    {
        using var scope = NewDisposeScope();
        var prepared = FrozenLayer.Prepare(rows, weights.Inputs(direction), weights.Name, direction);
        var scales = direction == LayerDirection.Backward ? weights.Scales : [];
        var (largest, _) = RowNorms.Measure(TensorData.Read(prepared), scales, weights.Inputs(direction), double.PositiveInfinity);
        GC.KeepAlive(prepared);
        if (direction == LayerDirection.Forward)
        {
            NeedsForward = true;
            _forwardNorm = Math.Max(_forwardNorm, largest);
        }
        else
        {
            NeedsBackward = true;
            _backwardNorm = Math.Max(_backwardNorm, largest);
        }
    }

    /// <summary>Notes a lookup of an embedding's rows: forward products of one-hot rows, whose norm is 1.</summary>
    public void RecordLookup()
    {
        NeedsForward = true;
        _forwardNorm = 1;
    }

    /// <summary>The layer as a backend gets it.</summary>
    /// <param name="isDynamic">Whether each row gets a scale of its own. A direction that saw zero rows only has no norm to give: its rows do too.</param>
    public FheLayer ToLayer(bool isDynamic) => new(weights)
    {
        NeedsForward = NeedsForward,
        NeedsBackward = NeedsBackward,
        ForwardNorm = isDynamic || _forwardNorm == 0 ? null : _forwardNorm,
        BackwardNorm = isDynamic || _backwardNorm == 0 ? null : _backwardNorm,
    };

    /// <inheritdoc/>
    public void Dispose() => standIn?.Dispose();
}
