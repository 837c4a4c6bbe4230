using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>Makes linear layers: TorchSharp's own, which adapters and encrypted layers know how to replace.</summary>
internal static class BareLinear
{
    /// <summary>A layer whose weights are not yet set: whoever builds the model fills them, from a file or at random.</summary>
    public static Linear Create(long inputs, long outputs, bool hasBias) =>
        nn.Linear(new Parameter(empty(outputs, inputs)), hasBias ? new Parameter(empty(outputs)) : null);
}
