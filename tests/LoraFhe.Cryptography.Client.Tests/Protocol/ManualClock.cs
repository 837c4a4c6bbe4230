namespace LoraFhe.Cryptography.Client.Tests.Protocol;

/// <summary>Two clocks and a process id that go where a test moves them. Timers run when time has been moved over them.</summary>
internal sealed class ManualClock : TimeProvider
{
    private readonly List<ManualTimer> _timers = [];
    private TimeSpan _monotonic = TimeSpan.FromHours(5);
    private TimeSpan _wall;

    public int ProcessId { get; set; } = 4242;

    public MaskClock Clock => new(this, () => ProcessId);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _monotonic.Ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(56) + _wall;

    public void Advance(TimeSpan time)
    {
        _monotonic += time;
        _wall += time;
        foreach (var timer in _timers.Where(timer => timer.Due <= _monotonic).ToArray())
        {
            _timers.Remove(timer);
            timer.Run();
        }
    }

    /// <summary>Moves one clock alone: what a machine that slept, a restored snapshot or a clock that was set look like. No timer sees it.</summary>
    public void StepWall(TimeSpan time) => _wall += time;

    /// <summary>Moves both clocks without their timers: as if the timer's thread came late.</summary>
    public void AdvanceUnnoticed(TimeSpan time) => (_monotonic, _wall) = (_monotonic + time, _wall + time);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new ManualTimer(this, () => callback(state));

    private sealed class ManualTimer(ManualClock clock, Action run) : ITimer
    {
        public TimeSpan Due { get; private set; }

        public void Run() => run();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Due = clock._monotonic + dueTime;
            clock._timers.Add(this);
            return true;
        }

        public void Dispose() => clock._timers.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
