using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>Which keys each token may look at: those at or before it that are no padding and of its own text.</summary>
/// <remarks>As in transformers' <c>find_packed_sequence_indices</c>, without a mask positions that do not follow each other part the texts
/// that share a row.</remarks>
internal static class AttentionMask
{
    /// <summary>Joins the causal rule with the padding, or with the bounds of packed texts.</summary>
    /// <param name="attentionMask">[batch, keys], 0 on padding; null where there is none.</param>
    /// <param name="positions">Int64 [batch or 1, length]; null: consecutive. Looked at where there is no mask and nothing is past.</param>
    /// <param name="length">Tokens of this pass.</param>
    /// <param name="past">Tokens before them; keys = past + length.</param>
    /// <param name="device">Where the result lies.</param>
    /// <returns>Bool [batch or 1, 1, length, keys]; null where the plain causal rule over tokens of this pass, or a single token, needs
    /// none.</returns>
    public static Tensor? Build(Tensor? attentionMask, Tensor? positions, long length, long past, Device device)
    {
        using var scope = NewDisposeScope();
        if (attentionMask is null && past == 0 && positions is not null)
        {
            return WithinTexts(positions, length, device)?.MoveToOuterDisposeScope();
        }

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

    // Block-diagonal and causal; null where the row is one text.
    private static Tensor? WithinTexts(Tensor positions, long length, Device device)
    {
        var steps = positions.narrow(1, 1, length - 1) - positions.narrow(1, 0, length - 1);
        var begins = nn.functional.pad(steps.ne(1).to(ScalarType.Int64), [1, 0]);
        if (!begins.any().item<bool>())
        {
            return null;
        }

        var text = begins.cumsum(1);
        var isSame = text.unsqueeze(2).eq(text.unsqueeze(1)).unsqueeze(1);
        return isSame.logical_and(ones(length, length, dtype: ScalarType.Bool, device: device).tril());
    }
}
