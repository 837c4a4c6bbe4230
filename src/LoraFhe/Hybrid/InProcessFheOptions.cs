namespace LoraFhe;

/// <summary>How <see cref="InProcessFheBackend"/> works.</summary>
public sealed record InProcessFheOptions
{
    /// <summary>A folder that keeps hints and the seed they were made for, so that the next run maps them instead of making them; one folder a
    /// model. It is made if it does not exist. null: hints live in memory and the seed is fresh each time. Default: null.</summary>
    /// <remarks>A hint takes 6 kB an output of each layer and direction.</remarks>
    public string? HintFolder { get; init; }

    /// <summary>Threads that each half may use; 0: all. Default: 0.</summary>
    public int MaxThreads { get; init; }

    /// <summary>Makes the masks of coming calls in the background, which gives a safeguard up: read <see cref="MasksAheadOptions"/> first. null: each call makes its own. Default: null.</summary>
    public MasksAheadOptions? MasksAhead { get; init; }

    /// <summary>Every fault of these options; empty if there is none.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        if (HintFolder is { Length: 0 })
        {
            faults.Add(Errors.EmptyHintFolder());
        }

        if (MaxThreads < 0)
        {
            faults.Add(Errors.NegativeThreads(MaxThreads));
        }

        faults.AddRange(MasksAhead?.Validate() ?? []);
        return faults;
    }
}
