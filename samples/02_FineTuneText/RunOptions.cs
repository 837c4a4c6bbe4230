namespace LoraFhe.Samples.FineTuneText;

/// <summary>What one run does, as the command line says it.</summary>
internal sealed record RunOptions
{
    public required string Model { get; init; }
    public required string Data { get; init; }
    public HybridFheMode Mode { get; init; } = HybridFheMode.Execute;

    /// <summary>Null where <see cref="Epochs"/> counts.</summary>
    public int? Steps { get; init; }

    public int? Epochs { get; init; }
    public int Rank { get; init; } = 8;
    public double Alpha { get; init; } = 16;
    public string Targets { get; init; } = "all-linear";
    public double LearningRate { get; init; } = 3e-3;
    public int Batch { get; init; } = 4;
    public int Length { get; init; } = 128;
    public bool Pack { get; init; }
    public int Bits { get; init; } = 8;
    public int Seed { get; init; } = 1;
    public bool Resume { get; init; }
    public bool Quick { get; init; }
    public required string Out { get; init; }
    public string? Report { get; init; }
    public string? Record { get; init; }
}
