using LoraFhe.Cryptography;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>What the calibration batch asks of one layer: which products, and how long their rows are.</summary>
/// <param name="weights">The layer's integers.</param>
/// <param name="standIn">Computes the products where there is no float weight to do it; owned. Null: there is.</param>
/// <param name="noteInput">Told of each input.</param>
internal sealed class FrozenCalibration(QuantizedLayer weights, FrozenShare? standIn, Action<Tensor> noteInput) : IDisposable
{
    /// <summary>The layer's integers.</summary>
    public QuantizedLayer Weights => weights;

    /// <summary>What computes in place of the float weight; null if that is there.</summary>
    public FrozenShare? StandIn => standIn;

    /// <summary>Whether the forward product was asked for.</summary>
    public bool NeedsForward { get; private set; }

    /// <summary>Whether the backward product was asked for.</summary>
    public bool NeedsBackward { get; private set; }

    /// <summary>The norm of the longest row of activations, 0 if there was none.</summary>
    public double ForwardNorm { get; private set; }

    /// <summary>The same of gradients, after they were multiplied by the weight scales.</summary>
    public double BackwardNorm { get; private set; }

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
            ForwardNorm = Math.Max(ForwardNorm, largest);
            noteInput(rows);
        }
        else
        {
            NeedsBackward = true;
            BackwardNorm = Math.Max(BackwardNorm, largest);
        }
    }

    /// <summary>Notes a lookup of an embedding's rows: forward products of one-hot rows, whose norm is 1.</summary>
    public void RecordLookup()
    {
        NeedsForward = true;
        ForwardNorm = 1;
    }

    /// <inheritdoc/>
    public void Dispose() => standIn?.Layer.Dispose();
}
