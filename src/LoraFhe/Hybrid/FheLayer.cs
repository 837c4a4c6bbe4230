using LoraFhe.Cryptography;

namespace LoraFhe;

/// <summary>One frozen layer as a backend gets it: its integers, and what calibration found.</summary>
/// <param name="Weights">The layer's quantized weights, for both directions.</param>
public sealed record FheLayer(QuantizedLayer Weights)
{
    /// <summary>Whether calibration asked for <c>X·Wᵀ</c>. Default: true.</summary>
    public bool NeedsForward { get; init; } = true;

    /// <summary>Whether calibration asked for <c>G·W</c>: false where no gradient flows back through the layer. Default: true. A product
    /// that calibration did not ask for may still be asked for later.</summary>
    public bool NeedsBackward { get; init; } = true;

    /// <summary>Static quantization: the norm that sets one scale for all rows of activations; null: a scale for each row. Default: null.</summary>
    public double? ForwardNorm { get; init; }

    /// <summary>Static quantization: the same for rows of gradients, after they were multiplied by the weight scales. Default: null.</summary>
    public double? BackwardNorm { get; init; }

    /// <summary>Whether calibration asked for a product.</summary>
    /// <param name="direction">Which of the two.</param>
    public bool Needs(LayerDirection direction) => direction == LayerDirection.Forward ? NeedsForward : NeedsBackward;

    /// <summary>The norm of a direction's rows under static quantization, or null.</summary>
    /// <param name="direction">Which of the two products.</param>
    public double? Norm(LayerDirection direction) => direction == LayerDirection.Forward ? ForwardNorm : BackwardNorm;
}
