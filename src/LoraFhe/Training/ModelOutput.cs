using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>What a model returns: a loss, if it was given labels, and logits.</summary>
/// <remarks>The tensors are the receiver's, who disposes of them, usually through a dispose scope.</remarks>
public sealed record ModelOutput
{
    /// <summary>The mean loss, a scalar attached to the graph; null where the model was given no labels or computes none.</summary>
    public Tensor? Loss { get; init; }

    /// <summary>What the model predicts, before any softmax: [rows, classes] or [rows, sequence, vocabulary].</summary>
    public Tensor? Logits { get; init; }
}
