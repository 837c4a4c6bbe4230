namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>The runs that a class of tests looks at, each run once.</summary>
public sealed class Replays : IDisposable
{
    private readonly Dictionary<(string Name, bool Clear), Replay> _done = [];

    /// <summary>A run, run here.</summary>
    internal Replay this[string name] => Done(name, clear: false);

    /// <summary>A run, run here in float arithmetic, whatever its mode was.</summary>
    internal Replay Clear(string name) => Done(name, clear: true);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var replay in _done.Values)
        {
            replay.Dispose();
        }
    }

    private Replay Done(string name, bool clear)
    {
        if (!_done.TryGetValue((name, clear), out var replay))
        {
            _done.Add((name, clear), replay = new Replay(name, clear));
        }

        return replay;
    }
}
