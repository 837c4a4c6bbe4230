using LoraFhe.Cryptography;

namespace LoraFhe;

/// <summary>Layers that take the same input as one layer: the rows of their weights, one layer's after the other's. Its product with an
/// input is all of theirs, and with their gradients side by side it is the sum of their backward products.</summary>
internal static class LayerStack
{
    /// <summary>Stacks layers of one model that have the same inputs and bits.</summary>
    /// <returns>The stack, or null if it would leave no room for its inputs, or be too big for one array.</returns>
    public static QuantizedLayer? Of(IReadOnlyList<QuantizedLayer> layers)
    {
        var (first, outFeatures) = (layers[0], layers.Sum(layer => (long)layer.OutFeatures));
        if (outFeatures * first.InFeatures > Array.MaxLength)
        {
            return null;
        }

        var codes = new short[outFeatures * first.InFeatures];
        var scales = new float[outFeatures];
        var row = 0;
        foreach (var layer in layers)
        {
            layer.Codes.CopyTo(codes.AsSpan(row * first.InFeatures));
            layer.Scales.CopyTo(scales.AsSpan(row));
            row += layer.OutFeatures;
        }

        var stack = QuantizedLayer.Create(first.ModelId, NameOf([.. layers.Select(layer => layer.Name)]), first.Bits, row, first.InFeatures, codes, scales);
        return Enum.GetValues<LayerDirection>().All(direction => double.IsFinite(LayerQuantizer.RelativeNoise(stack, direction))) ? stack : null;
    }

    /// <summary>Where each layer's outputs are in a stack of them.</summary>
    public static IReadOnlyList<LayerPart> Parts(IReadOnlyList<QuantizedLayer> layers)
    {
        var parts = new List<LayerPart>();
        var first = 0;
        foreach (var layer in layers)
        {
            parts.Add(new LayerPart(layer.Name, parts.Count, first, layer.OutFeatures));
            first += layer.OutFeatures;
        }

        return parts;
    }

    /// <summary>One of a stack's layers as it was.</summary>
    public static QuantizedLayer Take(QuantizedLayer stack, LayerPart part) => part.Count == stack.OutFeatures ? stack : QuantizedLayer.Create(
        stack.ModelId, part.Name, stack.Bits, part.Count, stack.InFeatures,
        stack.Codes.Slice(part.First * stack.InFeatures, part.Count * stack.InFeatures).ToArray(), stack.Scales.Slice(part.First, part.Count).ToArray());

    /// <summary>A name for all: <c>layers.0.self_attn.q_proj+k_proj+v_proj</c>.</summary>
    internal static string NameOf(IReadOnlyList<string> names)
    {
        var paths = names.Select(name => name.Split('.')).ToList();
        var shared = 0;
        while (paths.All(path => shared < path.Length - 1 && path[shared] == paths[0][shared]))
        {
            shared++;
        }

        return string.Join('+', paths.Select((path, i) => string.Join('.', i == 0 ? path : path[shared..])));
    }
}
