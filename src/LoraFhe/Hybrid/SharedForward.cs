using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The last forward product of layers that share an input, kept until each has taken its part or another product comes: one for a whole model.</summary>
internal sealed class SharedForward
{
    private SharedCall? _last;

    /// <summary>The product that a layer can take its part of; null if it has to have one made.</summary>
    /// <param name="layer">The layers' products.</param>
    /// <param name="part">Whose part.</param>
    /// <param name="input">The layer's input.</param>
    /// <param name="rows">It as the products take it.</param>
    /// <param name="mode">The mode to compute in.</param>
    public SharedCall? Find(FrozenLayer layer, LayerPart part, Tensor input, Tensor rows, HybridFheMode mode) =>
        _last is { } last && last.Serves(layer, part, input, rows, mode) ? last : null;

    /// <summary>Keeps a product in place of the one before.</summary>
    public SharedCall Keep(SharedCall call)
    {
        Release();
        return _last = call;
    }

    /// <summary>Lets go of what nobody has taken.</summary>
    public void Release()
    {
        _last?.Dispose();
        _last = null;
    }
}
