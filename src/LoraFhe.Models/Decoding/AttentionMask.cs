using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>Which keys each token may look at: those at or before it that are no padding.</summary>
internal static class AttentionMask
{
    /// <summary>Joins the causal rule with the padding.</summary>
    /// <param name="attentionMask">[batch, keys], 0 on padding; null where there is none.</param>
    /// <param name="length">Tokens of this pass.</param>
    /// <param name="past">Tokens before them; keys = past + length.</param>
    /// <param name="device">Where the result lies.</param>
    /// <returns>Bool [batch or 1, 1, length, keys]; null where the plain causal rule over tokens of this pass, or a single token, needs
    /// none.</returns>
    public static Tensor? Build(Tensor? attentionMask, long length, long past, Device device)
    {
        using var scope = NewDisposeScope();
        var kept = attentionMask?.ne(0);
        var isPadded = kept is not null && !kept.all().item<bool>();
        if (!isPadded && (past == 0 || length == 1))
        {
            return null;
        }

        var tokens = arange(past, past + length, device: device).unsqueeze(1);
        var keys = arange(past + length, device: device).unsqueeze(0);
        var mask = keys.le(tokens).unsqueeze(0).unsqueeze(0);
        if (isPadded)
        {
            // Padding looks at itself: a row without any key would have no softmax, and its NaN would reach the others as 0 · NaN.
            mask = mask.logical_and(kept!.unsqueeze(1).unsqueeze(1)).logical_or(keys.eq(tokens));
        }

        return mask.MoveToOuterDisposeScope();
    }
}
