namespace LoraFhe.Samples.FineTuneText;

/// <summary>Times steps by when their ends are reported.</summary>
internal sealed class StepClock(Action<TrainingProgress> show) : IProgress<TrainingProgress>
{
    private readonly List<double> _seconds = [];
    private long _last = TimeProvider.System.GetTimestamp();

    /// <summary>The median step, the first left out: it warms up. Not a number before two steps.</summary>
    public double MedianSeconds
    {
        get
        {
            var sorted = _seconds.Skip(1).Order().ToArray();
            return sorted.Length == 0 ? double.NaN : sorted[sorted.Length / 2];
        }
    }

    public void Report(TrainingProgress value)
    {
        var now = TimeProvider.System.GetTimestamp();
        _seconds.Add(TimeProvider.System.GetElapsedTime(_last, now).TotalSeconds);
        _last = now;
        show(value);
    }
}
