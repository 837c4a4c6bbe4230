using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Counts the labels that a loss compares with.</summary>
internal static class TargetTokens
{
    /// <summary>The label that is not compared with anything.</summary>
    public const long IgnoreIndex = -100;

    /// <summary>Labels that count.</summary>
    /// <param name="labels">Class indices, [rows] or [rows, sequence].</param>
    /// <param name="shifted">Whether position 0 of a sequence is no target, as in a causal language model.</param>
    public static long Count(Tensor labels, bool shifted)
    {
        using var scope = NewDisposeScope();
        var targets = shifted ? Shift(labels) : labels;
        return targets.ne(IgnoreIndex).sum().item<long>();
    }

    /// <summary>A causal language model's targets: each position predicts the next. Labels of one dimension stay as they are.</summary>
    public static Tensor Shift(Tensor labels) => labels.dim() < 2 ? labels : labels.narrow(-1, 1, Math.Max(labels.shape[^1] - 1, 0));
}
