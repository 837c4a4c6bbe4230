using LoraFhe.Cryptography;

namespace LoraFhe;

/// <summary>Frozen layers that were given instead of being quantized.</summary>
internal static class GivenLayers
{
    /// <summary>Finds each of a model's layers among those given.</summary>
    /// <param name="groups">The model's layers.</param>
    /// <param name="given">Layers of unlike names, in any order.</param>
    /// <param name="expectedHash">The <see cref="FrozenLayersHash"/> that they must have; null for any.</param>
    /// <returns>The given layers in the model's order.</returns>
    /// <exception cref="ArgumentException">One is missing, unknown to the model, or of another shape, and the text names it; or they have another hash.</exception>
    public static IReadOnlyList<QuantizedLayer> For(IReadOnlyList<FrozenGroup> groups, IReadOnlyList<QuantizedLayer> given, string? expectedHash)
    {
        var byName = given.ToDictionary(layer => layer.Name, StringComparer.Ordinal);
        var found = new List<QuantizedLayer>();
        foreach (var group in groups)
        {
            if (!byName.Remove(group.Name, out var layer))
            {
                throw new ArgumentException(Errors.GivenLayerMissing(group.Name));
            }

            if (layer.OutFeatures != group.OutFeatures || layer.InFeatures != group.InFeatures)
            {
                throw new ArgumentException(
                    Errors.GivenLayerShape(layer.Name, layer.OutFeatures, layer.InFeatures, group.OutFeatures, group.InFeatures));
            }

            found.Add(layer);
        }

        if (byName.Keys.FirstOrDefault() is { } unknown)
        {
            throw new ArgumentException(Errors.GivenLayerUnknown(unknown));
        }

        return expectedHash is null || expectedHash == FrozenLayersHash.Of(found) ? found : throw new ArgumentException(Errors.GivenLayersOfOtherModel());
    }
}
