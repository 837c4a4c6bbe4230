namespace LoraFhe.Samples.FineTuneText;

/// <summary>What one fine-tuning gave.</summary>
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
