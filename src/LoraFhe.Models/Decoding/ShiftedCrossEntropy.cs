using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>The loss of next-token prediction: each token's logits against the label of the token after it.</summary>
internal static class ShiftedCrossEntropy
{
    /// <param name="logits">Floats [batch, length, vocabulary].</param>
    /// <param name="labels">Int64 [batch, length], −100 where none is asked for.</param>
    /// <returns>The mean over the tokens asked for, a scalar; not a number where there are none.</returns>
    public static Tensor Mean(Tensor logits, Tensor labels)
    {
        // The labels move, not the logits: they are the smaller by the size of the vocabulary.
        var next = nn.functional.pad(labels, [0, 1], value: PretrainedModel.IgnoreIndex).narrow(1, 1, labels.shape[1]);
        return nn.functional.cross_entropy(logits.flatten(0, 1), next.reshape(-1), ignore_index: PretrainedModel.IgnoreIndex);
    }
}
