namespace LoraFhe.Cryptography.Client;

/// <summary>Measures how old a mask is, and notices what it can of a process that is not the one that made it: another id, or clocks that came apart.</summary>
/// <remarks>
/// A forked process has another id. The monotonic clock stands still while a machine is suspended, and in a snapshot until that is resumed, and the other clock does not, once it is set: more
/// than a quarter of a second between them ends every mask. A copy that is resumed with both clocks as they were is not noticed: where that can happen, no mask may be made ahead.
/// </remarks>
internal sealed class MaskClock
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(250);

    private readonly Func<int> _processId;

    /// <summary>Takes the clocks and what tells the process's id.</summary>
    public MaskClock(TimeProvider time, Func<int> processId) => (Time, _processId) = (time, processId);

    /// <summary>The system's.</summary>
    public static MaskClock System { get; } = new(TimeProvider.System, static () => NativeMethods.ProcessId);

    /// <summary>Both clocks.</summary>
    public TimeProvider Time { get; }

    /// <summary>Now.</summary>
    public MaskMoment Now() => new(_processId(), Time.GetTimestamp(), Time.GetUtcNow());

    /// <summary>Whether a mask of that moment may still be used.</summary>
    public bool Permits(MaskMoment made, TimeSpan maxAge)
    {
        var now = Now();
        return IsContinuous(made, now) && Time.GetElapsedTime(made.Timestamp, now.Timestamp) < maxAge;
    }

    /// <summary>Whether, as far as can be told, nothing but time has passed in between.</summary>
    public bool IsContinuous(MaskMoment before, MaskMoment now)
    {
        var elapsed = Time.GetElapsedTime(before.Timestamp, now.Timestamp);
        return now.ProcessId == before.ProcessId && elapsed >= TimeSpan.Zero && (now.Wall - before.Wall - elapsed).Duration() <= Tolerance;
    }
}
