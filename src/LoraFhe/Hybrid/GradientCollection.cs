using LoraFhe.Cryptography;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Gradients of layers that share an input, side by side: their product is the sum of the layers' products. A layer without one counts as zeros, and is sent.</summary>
/// <param name="layer">The layers' products.</param>
internal sealed class GradientCollection(FrozenLayer layer)
{
    private readonly Tensor?[] _rows = new Tensor?[layer.Parts.Count];
    private Tensor? _nothing;
    private HybridFheMode _mode;

    /// <summary>Notes a layer's gradient.</summary>
    /// <param name="part">Which layer.</param>
    /// <param name="rows">The gradient as the products take it; in the caller's scope, and needed until <see cref="Multiply()"/>.</param>
    /// <param name="gradient">It as it came.</param>
    /// <param name="mode">The mode to compute in.</param>
    /// <returns>What the layer gives back: zeros, [..., in], the same for all layers; in the caller's scope.</returns>
    public Tensor Add(LayerPart part, Tensor rows, Tensor gradient, HybridFheMode mode)
    {
        _mode = mode;
        _rows[part.Index] = rows;
        return _nothing ??= Nothing(gradient);
    }

    /// <summary>Whether a layer's result is what <see cref="Add"/> gave it: its part is in the product.</summary>
    public bool IsNothing(Tensor result) => ReferenceEquals(result, _nothing);

    /// <summary>Computes the product of all gradients that were noted.</summary>
    /// <returns>[..., in], of their type, on their device, in the caller's scope; null if there are none.</returns>
    public Tensor? Multiply() =>
        _nothing is null ? null : Multiply(layer, _rows, _nothing.shape.AsSpan()[..^1], _mode).to(_nothing.dtype).to(_nothing.device);

    /// <summary>The product of gradients of some of the layers.</summary>
    /// <param name="layer">The layers' products.</param>
    /// <param name="rows">Of each layer the gradient as the products take it, or null; one at least.</param>
    /// <param name="leading">The result's dimensions but the last.</param>
    /// <param name="mode">The mode to compute in.</param>
    /// <returns>Float32 [..., in], on the CPU, in the caller's scope.</returns>
    public static Tensor Multiply(FrozenLayer layer, Tensor?[] rows, ReadOnlySpan<long> leading, HybridFheMode mode)
    {
        var tokens = rows.First(own => own is not null)!.shape[0];
        var all = rows.Length == 1 ? rows[0]! : cat([.. layer.Parts.Select(part => rows[part.Index] ?? zeros(tokens, part.Count))], 1);
        return layer.Multiply(all, leading, LayerDirection.Backward, mode);
    }

    private Tensor Nothing(Tensor gradient)
    {
        var shape = gradient.shape;
        shape[^1] = layer.Weights.InFeatures;
        using var one = zeros([1], dtype: gradient.dtype, device: gradient.device);
        return one.expand(shape);
    }
}
