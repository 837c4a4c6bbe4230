namespace LoraFhe.Tools.Soak;

/// <summary>All that was found out about a subject.</summary>
/// <param name="Subject">What was recorded.</param>
/// <param name="Model">The model as it is.</param>
/// <param name="Modes">The fine-tuning in each mode, torch first; all over the same steps.</param>
internal sealed record Comparison(Subject Subject, ModelResult Model, IReadOnlyList<ModeResult> Modes)
{
    /// <summary>How far torch mode may be from what was recorded: losses, logits, hidden states.</summary>
    public const double Tolerance = 1e-3;

    /// <summary>How much farther execute may be from torch than disable is.</summary>
    public const double MostOverDisable = 2;

    /// <summary>The clear run with float32 weights.</summary>
    public ModeResult Torch => Modes[0];

    /// <summary>The losses that were recorded for the steps that were repeated.</summary>
    public IReadOnlyList<double> Recorded => [.. Subject.Run.Losses.Take(Torch.Losses.Count)];

    /// <summary>Whether all recorded steps were repeated, so that what was recorded after them can be compared.</summary>
    public bool IsWhole => Torch.Losses.Count == Subject.Run.Losses.Count;

    /// <summary>The result of a mode; null if it was not asked for.</summary>
    public ModeResult? Of(HybridFheMode mode) => Modes.FirstOrDefault(result => result.Mode == mode);

    /// <summary>What is not as near to the recorded as it should be.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var difference in Model.Differences.Where(difference => !(difference.Largest <= Tolerance)))
        {
            yield return $"{difference.Name} is off by {difference.Largest:g3}, tolerance {Tolerance}";
        }

        if (Model.EqualTexts < Model.Texts)
        {
            yield return $"{Model.EqualTexts} of {Model.Texts} greedy texts are equal";
        }

        if (Torch.LargestDistance(Recorded) is var distance && distance > Tolerance)
        {
            yield return $"torch mode's losses are off by {distance:g3}, tolerance {Tolerance}";
        }

        if (Of(HybridFheMode.Disable) is { } disable && Of(HybridFheMode.Execute) is { } execute
            && execute.MeanDistance(Torch.Losses) > MostOverDisable * disable.MeanDistance(Torch.Losses))
        {
            yield return $"execute is {execute.MeanDistance(Torch.Losses):g3} from torch, disable {disable.MeanDistance(Torch.Losses):g3}";
        }
    }
}
