namespace LoraFhe.Cryptography.Client;

/// <summary>What tells one call from every other, besides randomness. None of it is secret.</summary>
internal readonly ref struct ProcessMoment
{
    /// <summary>32 kernel bytes drawn when the process first encrypted.</summary>
    public required ReadOnlySpan<byte> ProcessNonce { get; init; }

    /// <summary>The call's number in the process.</summary>
    public required long Counter { get; init; }

    /// <summary>The monotonic clock.</summary>
    public required long Ticks { get; init; }

    /// <summary>The process's id: a forked or copied process has another.</summary>
    public required int ProcessId { get; init; }
}
