using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>The loss of a classifier, and the checks of its labels before native code that would end the process sees them.</summary>
/// <remarks>No message gives a label.</remarks>
internal static class ClassificationLoss
{
    /// <summary>What the labels are where the configuration does not say: one class is a number, whole numbers are classes, others are
    /// yes or no to each.</summary>
    public static ProblemType Deduce(Tensor labels, int classes) => classes switch
    {
        1 => ProblemType.Regression,
        _ when labels.dtype is ScalarType.Int64 or ScalarType.Int32 => ProblemType.SingleLabelClassification,
        _ => ProblemType.MultiLabelClassification,
    };

    /// <param name="type">Which loss.</param>
    /// <param name="logits">Floats [batch, classes].</param>
    /// <param name="labels">Int64 [batch] for one class a text, −100 where none is asked for; otherwise floats [batch, classes], or [batch]
    /// where there is one class.</param>
    /// <returns>The mean, a scalar; of single labels over those asked for, not a number where there are none.</returns>
    /// <exception cref="ArgumentException">The labels have another shape or type, or one is no class.</exception>
    public static Tensor Mean(ProblemType type, Tensor logits, Tensor labels)
    {
        if (type == ProblemType.SingleLabelClassification)
        {
            CheckClasses(labels, logits.shape[0], (int)logits.shape[1]);
            return nn.functional.cross_entropy(logits, labels.reshape(-1), ignore_index: PretrainedModel.IgnoreIndex);
        }

        CheckNumbers(labels, logits);
        var targets = labels.reshape(logits.shape).to(logits.dtype);
        return type == ProblemType.Regression
            ? nn.functional.mse_loss(logits, targets)
            : nn.functional.binary_cross_entropy_with_logits(logits, targets);
    }

    private static void CheckClasses(Tensor labels, long batch, int classes)
    {
        if (labels.dtype != ScalarType.Int64)
        {
            throw new ArgumentException(Errors.NotInt64(nameof(labels), labels.dtype.ToString()), nameof(labels));
        }

        if (labels.shape is not [var rows] || rows != batch)
        {
            throw new ArgumentException(Errors.ClassLabelShape(labels.shape, [batch]), nameof(labels));
        }

        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var asked = labels[labels.ne(PretrainedModel.IgnoreIndex)];
        if (asked.lt(0).logical_or(asked.ge(classes)).any().item<bool>())
        {
            throw new ArgumentException(Errors.LabelNoClass(nameof(labels), classes), nameof(labels));
        }
    }

    private static void CheckNumbers(Tensor labels, Tensor logits)
    {
        if (!labels.is_floating_point())
        {
            throw new ArgumentException(Errors.LabelsNotFloat(nameof(labels), labels.dtype.ToString()), nameof(labels));
        }

        var (batch, classes) = (logits.shape[0], logits.shape[1]);
        if (!labels.shape.AsSpan().SequenceEqual([batch, classes]) && !(classes == 1 && labels.shape is [var rows] && rows == batch))
        {
            throw new ArgumentException(Errors.ClassLabelShape(labels.shape, logits.shape), nameof(labels));
        }
    }
}
