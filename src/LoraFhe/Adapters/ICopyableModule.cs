using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>A module that can be trained whole beside adapters (<see cref="LoraConfig.ModulesToSave"/>): it makes the copy that is trained.</summary>
/// <remarks>Not needed for TorchSharp's <c>Linear</c>, <c>Embedding</c> and <c>LayerNorm</c> and for <see cref="Conv1D"/>.</remarks>
public interface ICopyableModule
{
    /// <summary>Makes a module that computes the same from parameters and buffers of its own.</summary>
    /// <returns>The copy; the caller owns it.</returns>
    nn.Module<Tensor, Tensor> Copy();
}
