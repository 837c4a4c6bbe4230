using TorchSharp.Modules;

namespace LoraFhe;

/// <summary>The free functions of the Python module <c>concrete.ml.torch.lora</c>, under the names a reader of it knows.</summary>
public static partial class Lora
{
    /// <summary>The types of layer that adapters wrap and that can be evaluated under encryption (<c>LINEAR_LAYERS</c>).</summary>
    public static IReadOnlyList<Type> LinearLayers { get; } = [typeof(Linear), typeof(Conv1D)];
}
