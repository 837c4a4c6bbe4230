namespace LoraFhe.Tools.Soak;

/// <summary>What was asked for.</summary>
internal sealed record SoakOptions
{
    public required bool TinyAusten { get; init; }

    public required bool SmolLm2 { get; init; }

    /// <summary>What <c>.ci/unpack-test-models</c> made; null where no subject needs it.</summary>
    public string? Models { get; init; }

    public required string Out { get; init; }

    /// <summary>The first steps of each fine-tuning; null: all.</summary>
    public int? Steps { get; init; }

    public required IReadOnlyList<HybridFheMode> Modes { get; init; }

    /// <summary>The folder whose <c>results.md</c> gets the tables, and whose <c>images</c> the plots; null: none.</summary>
    public string? Docs { get; init; }
}
