namespace LoraFhe.Tools.Replay;

/// <summary>What a call showed.</summary>
internal sealed record Result(string Layer, string Direction, Uniformity Words, long Outputs)
{
    /// <summary>The largest number that was encrypted, by size.</summary>
    public long Largest { get; init; }

    /// <summary>What is wrong, or null.</summary>
    public string? Fault { get; init; }
}
