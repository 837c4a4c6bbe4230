using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>Makes a GPT-2's linear layers, whose weights are stored [in, out].</summary>
internal static class Gpt2Conv1D
{
    /// <summary>A layer whose weights are not yet set: whoever builds the model fills them, from a file or at random.</summary>
    public static Conv1D Create(long inputs, long outputs) => new(new Parameter(empty(inputs, outputs)), new Parameter(empty(outputs)));
}
