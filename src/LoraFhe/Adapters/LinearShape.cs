using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The widths of a linear layer, however it stores its weight.</summary>
/// <param name="InFeatures">Columns of its input.</param>
/// <param name="OutFeatures">Columns of its output.</param>
/// <param name="IsTransposed">Whether the weight is stored [in, out].</param>
/// <param name="Weight">The weight itself; it belongs to the layer.</param>
internal readonly record struct LinearShape(long InFeatures, long OutFeatures, bool IsTransposed, Parameter Weight)
{
    /// <summary>Whether the module is one of <see cref="Lora.LinearLayers"/>.</summary>
    public static bool IsLinear(nn.Module module) => Lora.LinearLayers.Any(type => type.IsInstanceOfType(module));

    /// <summary>The widths, or null if the module is no linear layer.</summary>
    public static LinearShape? Of(nn.Module module) => module switch
    {
        Linear linear => new LinearShape(linear.weight.shape[1], linear.weight.shape[0], IsTransposed: false, linear.weight),
        Conv1D layer => new LinearShape(layer.in_features, layer.out_features, IsTransposed: true, layer.weight),
        _ => null,
    };
}
