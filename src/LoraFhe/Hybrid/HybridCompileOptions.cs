using LoraFhe.Cryptography;

namespace LoraFhe;

/// <summary>How a model's frozen layers are quantized.</summary>
public sealed record HybridCompileOptions
{
    /// <summary>Bits of a weight, sign included: 8 to 12; null: chosen for each layer, as the number for which rounding and noise together are
    /// least, or as the <see cref="FrozenLayers"/> have it. Default: 8.</summary>
    public int? Bits { get; init; } = EncryptedLinearParameters.MinBits;

    /// <summary>True: a scale for each row of activations or gradients. False: one scale a layer and direction, from the largest row norm of
    /// the calibration batch; longer rows are scaled down to it and counted in a warning. Default: true.</summary>
    public bool UseDynamicQuantization { get; init; } = true;

    /// <summary>Names the model in bindings, so that hints of one model are never taken for another's. Default: the name of the module's type.</summary>
    public string? ModelId { get; init; }

    /// <summary>The frozen layers' integers, as <see cref="FrozenLayerFile.Read"/> returns them, taken instead of quantizing the model's weights: what a model needs
    /// that was cleared. Each remote layer must be there, and no other. null: the model's own weights are quantized. Default: null.</summary>
    public IReadOnlyList<QuantizedLayer>? FrozenLayers { get; init; }

    /// <summary>Every fault of these options; empty if there is none.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        if (Bits is < EncryptedLinearParameters.MinBits or > EncryptedLinearParameters.MaxBits)
        {
            faults.Add(Errors.BitsOption(Bits.Value));
        }

        if (ModelId is { Length: 0 })
        {
            faults.Add(Errors.EmptyModelId());
        }

        if (faults.Count == 0 && FrozenLayers is not null)
        {
            faults.AddRange(FaultsOfLayers(FrozenLayers));
        }

        return faults;
    }

    // A folder's layers have mostly the same fault: it is told once.
    private IEnumerable<string> FaultsOfLayers(IReadOnlyList<QuantizedLayer> layers)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var layer in layers.Where(layer => !names.Add(layer.Name)))
        {
            yield return Errors.GivenLayerTwice(layer.Name);
        }

        if (Bits is { } bits && layers.FirstOrDefault(layer => layer.Bits != bits) is { } other)
        {
            yield return Errors.GivenLayerBits(other.Name, other.Bits, bits);
        }

        if (ModelId is { } model && layers.FirstOrDefault(layer => layer.ModelId != model) is { } foreign)
        {
            yield return Errors.GivenLayerModel(foreign.Name, foreign.ModelId, model);
        }
    }
}
