using LoraFhe.Cryptography;

namespace LoraFhe;

/// <summary>One frozen layer as a backend gets it: its integers, and what calibration found.</summary>
/// <param name="Weights">The layer's quantized weights, for both directions. Layers that calibration found to take the same input, such as an attention's q, k and v,
/// are one here, named <c>q_proj+k_proj+v_proj</c>: their outputs stand one after the other, and so do their gradients, of which the backward product is the sum.</param>
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

    /// <summary>The layers whose outputs the product gives: several where they take the same input.</summary>
    internal IReadOnlyList<LayerPart> Parts { get; init; } = [new LayerPart(Weights.Name, 0, 0, Weights.OutFeatures)];

    /// <summary>Those layers, each by itself.</summary>
    internal IEnumerable<QuantizedLayer> Members => Parts.Select(part => LayerStack.Take(Weights, part));

    /// <summary>Whether calibration asked for a product.</summary>
    /// <param name="direction">Which of the two.</param>
    public bool Needs(LayerDirection direction) => direction == LayerDirection.Forward ? NeedsForward : NeedsBackward;

    /// <summary>The norm of a direction's rows under static quantization, or null.</summary>
    /// <param name="direction">Which of the two products.</param>
    public double? Norm(LayerDirection direction) => direction == LayerDirection.Forward ? ForwardNorm : BackwardNorm;
}
