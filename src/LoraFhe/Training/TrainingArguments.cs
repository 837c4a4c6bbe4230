namespace LoraFhe;

/// <summary>How batches become updates.</summary>
public sealed record TrainingArguments
{
    /// <summary>Batches whose gradients are summed for one update; 1 by default. A window ends with its epoch.</summary>
    public int GradientAccumulationSteps { get; init; } = 1;

    /// <summary>
    /// The L2 norm over all trainable parameters that the gradient is scaled down to if it is longer; null, the default, for none.
    /// The factor is PyTorch's: min(1, max / (norm + 1e-6)).
    /// </summary>
    public double? MaxGradNorm { get; init; }

    /// <summary>What the losses of a window are divided by; <see cref="LossScaling.Window"/> by default.</summary>
    public LossScaling LossScaling { get; init; } = LossScaling.Window;

    /// <summary>Every fault of these options, a sentence each; empty if there is none.</summary>
    internal IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        if (GradientAccumulationSteps < 1)
        {
            faults.Add(Errors.AtLeastOne(nameof(GradientAccumulationSteps), GradientAccumulationSteps));
        }

        if (MaxGradNorm is { } norm && !(norm > 0 && double.IsFinite(norm)))
        {
            faults.Add(Errors.PositiveAndFinite(nameof(MaxGradNorm), norm));
        }

        if (!Enum.IsDefined(LossScaling))
        {
            faults.Add(Errors.UndefinedValue(nameof(LossScaling), LossScaling));
        }

        return faults;
    }
}
