using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>Checks what a model is called with, before native code that would end the process sees it.</summary>
/// <remarks>No message gives a value: ids and labels are a private text.</remarks>
internal static class ModelInputs
{
    /// <summary>Checks shapes, types and ranges.</summary>
    /// <exception cref="ArgumentException">A tensor has another shape or type, or an id or position is out of range.</exception>
    public static void Check(Tensor inputIds, Tensor? attentionMask, Tensor? positionIds, int vocabularySize, int? positionCount)
    {
        ArgumentNullException.ThrowIfNull(inputIds);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        if (inputIds.dim() != 2 || inputIds.numel() == 0)
        {
            throw new ArgumentException(Errors.InputShape(inputIds.shape), nameof(inputIds));
        }

        CheckIntegers(inputIds, nameof(inputIds));
        if (IsOutside(inputIds, vocabularySize))
        {
            throw new ArgumentException(Errors.IdOutsideVocabulary(nameof(inputIds), vocabularySize), nameof(inputIds));
        }

        if (attentionMask is not null)
        {
            CheckShape(attentionMask, inputIds, nameof(attentionMask));
        }

        if (positionIds is not null)
        {
            // One row is for all texts: what is looked up by it broadcasts.
            if (positionIds.shape is not [1, var length] || length != inputIds.shape[1])
            {
                CheckShape(positionIds, inputIds, nameof(positionIds));
            }

            CheckIntegers(positionIds, nameof(positionIds));
            if (positionCount is { } count && IsOutside(positionIds, count))
            {
                throw new ArgumentException(Errors.PositionOutsideModel(nameof(positionIds), count), nameof(positionIds));
            }
        }
        else if (inputIds.shape[1] > positionCount)
        {
            throw new ArgumentException(Errors.InputTooLong(inputIds.shape[1], positionCount.Value), nameof(inputIds));
        }
    }

    /// <summary>Checks the labels of next-token prediction.</summary>
    /// <exception cref="ArgumentException">They have another shape or type, or one is not of the vocabulary.</exception>
    public static void CheckTokenLabels(Tensor labels, Tensor inputIds, int vocabularySize)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        CheckShape(labels, inputIds, nameof(labels));
        CheckIntegers(labels, nameof(labels));
        if (IsOutside(labels[labels.ne(PretrainedModel.IgnoreIndex)], vocabularySize))
        {
            throw new ArgumentException(Errors.LabelOutsideVocabulary(nameof(labels), vocabularySize), nameof(labels));
        }
    }

    private static bool IsOutside(Tensor values, int count) => values.lt(0).logical_or(values.ge(count)).any().item<bool>();

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
