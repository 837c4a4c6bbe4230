using LoraFhe.Cryptography.Client;

namespace LoraFhe;

/// <summary>Masks made ahead of their rows by a thread in the background: an opt-in that trades a safeguard for time. It wins where a core is idle while the training waits for another.</summary>
/// <remarks>
/// An ordinary call's secret depends on its rows as well as on fresh randomness, so that two calls never share one even if the machine repeats its randomness, as a copy of it does. A mask made
/// ahead depends on randomness alone. <b>Never use this where a process or machine may be snapshotted, cloned or restored</b> (virtual machines with snapshots, CRIU, live migration that may be
/// rolled back): two copies that spend the same mask on two inputs show the difference of these to the host. A forked process, and a clock that stood still or was set, are noticed and end every
/// mask; an exact copy is not. Results, traffic and the order of calls are the same with and without. Source: docs/scheme.md, Masks made ahead.
/// </remarks>
public sealed record MasksAheadOptions
{
    /// <summary>The most bytes all masks may hold: 4 for each number that crosses, both ways. Default: 256 MiB.</summary>
    public long MemoryBudget { get; init; } = 256L << 20;

    /// <summary>How old a mask may become before it is zeroed, at most a minute. Default: one minute.</summary>
    public TimeSpan MaxAge { get; init; } = MaskAhead.MaxAge;

    /// <summary>Every fault of these options; empty if there is none.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        if (MemoryBudget < 1)
        {
            faults.Add(Errors.MaskBudget(MemoryBudget));
        }

        if (MaxAge <= TimeSpan.Zero || MaxAge > MaskAhead.MaxAge)
        {
            faults.Add(Errors.MaskAge(MaxAge, MaskAhead.MaxAge));
        }

        return faults;
    }
}
