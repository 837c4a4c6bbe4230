using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>Checks what a causal language model is called with, before native code that would end the process sees it.</summary>
internal static class CausalInputs
{
    /// <summary>Checks shapes, types and ranges. No message gives a value: ids are a private text.</summary>
    /// <exception cref="ArgumentException">A tensor has another shape or type, or an id or label is not of the vocabulary.</exception>
    public static void Check(Tensor inputIds, Tensor? attentionMask, Tensor? labels, int vocabularySize)
    {
        ArgumentNullException.ThrowIfNull(inputIds);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        if (inputIds.dim() != 2 || inputIds.numel() == 0)
        {
            throw new ArgumentException(Errors.InputShape(inputIds.shape), nameof(inputIds));
        }

        CheckIntegers(inputIds, nameof(inputIds));
        if (inputIds.lt(0).any().item<bool>() || inputIds.ge(vocabularySize).any().item<bool>())
        {
            throw new ArgumentException(Errors.IdOutsideVocabulary(nameof(inputIds), vocabularySize), nameof(inputIds));
        }

        if (attentionMask is not null)
        {
            CheckShape(attentionMask, inputIds, nameof(attentionMask));
        }

        if (labels is not null)
        {
            CheckShape(labels, inputIds, nameof(labels));
            CheckIntegers(labels, nameof(labels));
            var asked = labels.ne(CausalLanguageModel.IgnoreIndex);
            if (asked.logical_and(labels.lt(0).logical_or(labels.ge(vocabularySize))).any().item<bool>())
            {
                throw new ArgumentException(Errors.LabelOutsideVocabulary(nameof(labels), vocabularySize), nameof(labels));
            }
        }
    }

    private static void CheckShape(Tensor tensor, Tensor inputIds, string name)
    {
        if (!tensor.shape.AsSpan().SequenceEqual(inputIds.shape))
        {
            throw new ArgumentException(Errors.CompanionShape(name, tensor.shape, inputIds.shape), name);
        }
    }

    private static void CheckIntegers(Tensor tensor, string name)
    {
        if (tensor.dtype != ScalarType.Int64)
        {
            throw new ArgumentException(Errors.NotInt64(name, tensor.dtype.ToString()), name);
        }
    }
}
