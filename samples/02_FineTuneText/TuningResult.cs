namespace LoraFhe.Samples.FineTuneText;

/// <summary>What one fine-tuning gave. The clear run, which is there to compare, has no "before" (not a number) and no samples.</summary>
internal sealed record TuningResult(
    int Steps,
    int ResumedAfterStep,
    long TrainableParameters,
    IReadOnlyList<double> Losses,
    double PerplexityBefore,
    double PerplexityAfter,
    string SampleBefore,
    string SampleAfter,
    double SecondsPerStep,
    FheTraffic Traffic);
