namespace LoraFhe.Tools.Soak;

/// <summary>A recorded fine-tuning, repeated in one mode.</summary>
internal sealed record ModeResult
{
    public required HybridFheMode Mode { get; init; }

    /// <summary>One a step.</summary>
    public required IReadOnlyList<double> Losses { get; init; }

    public required double FirstGradientNorm { get; init; }

    public required double PerplexityBefore { get; init; }

    public required double PerplexityAfter { get; init; }

    /// <summary>Greedy texts before training that are the recorded ones, token for token.</summary>
    public required int EqualTextsBefore { get; init; }

    /// <summary>The same after it; meaningless after fewer steps than were recorded.</summary>
    public required int EqualTextsAfter { get; init; }

    /// <summary>Quantizing the frozen layers and making hints, or mapping those that an earlier mode made.</summary>
    public required double PrepareSeconds { get; init; }

    /// <summary>Of a step, by the clock: the median. Whatever else the machine does is in it.</summary>
    public required double StepSeconds { get; init; }

    /// <summary>Of a step, by the processors, all threads together: the mean.</summary>
    public required double StepProcessorSeconds { get; init; }

    public required string Processor { get; init; }

    public required string Kernel { get; init; }

    /// <summary>Threads of libtorch, and of each half of the encrypted product.</summary>
    public required int Threads { get; init; }

    /// <summary>The mean over the steps of how far another curve is.</summary>
    public double MeanDistance(IReadOnlyList<double> losses) => Losses.Zip(losses, (ours, other) => Math.Abs(ours - other)).Average();

    /// <summary>The largest of these distances.</summary>
    public double LargestDistance(IReadOnlyList<double> losses) => Losses.Zip(losses, (ours, other) => Math.Abs(ours - other)).Max();
}
