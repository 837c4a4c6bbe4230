namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>The runs that a class of tests looks at, each run once.</summary>
public sealed class Replays : IDisposable
{
    private readonly Dictionary<string, Replay> _done = new(StringComparer.Ordinal);

    /// <summary>A run, run here.</summary>
    internal Replay this[string name]
    {
        get
        {
            if (!_done.TryGetValue(name, out var replay))
            {
                _done.Add(name, replay = new Replay(name));
            }

            return replay;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var replay in _done.Values)
        {
            replay.Dispose();
        }
    }
}
