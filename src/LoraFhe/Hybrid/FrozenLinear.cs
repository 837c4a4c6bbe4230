using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The frozen parts of a module that this library can compute remotely.</summary>
/// <param name="Weight">Its weight.</param>
/// <param name="Bias">Its bias, which stays with the data's owner; or null.</param>
internal sealed record FrozenLinear(FrozenWeight Weight, Tensor? Bias)
{
    /// <summary>A linear layer's parts, or an embedding's, or null if the module is something else.</summary>
    public static FrozenLinear? Of(nn.Module? module) => module switch
    {
        Linear linear => new FrozenLinear(new FrozenWeight(linear.weight, Transposed: false), BiasOf(module)),
        Conv1D conv => new FrozenLinear(new FrozenWeight(conv.weight, Transposed: true), BiasOf(module)),
        ForwardModuleLinear forward => new FrozenLinear(forward.Frozen, BiasOf(module)),
        Embedding embedding => new FrozenLinear(new FrozenWeight(FrozenEmbedding.Table(embedding), Transposed: true), null),
        BackwardModuleLinear backward => new FrozenLinear(backward.Frozen, null),
        _ => null,
    };

    /// <summary>The bias alone: asked for at every product, it makes no objects.</summary>
    public static Tensor? BiasOf(nn.Module? module) => module switch
    {
        Linear linear => linear.bias,
        Conv1D conv => conv.bias,
        ForwardModuleLinear forward => forward.bias,
        _ => null,
    };
}
