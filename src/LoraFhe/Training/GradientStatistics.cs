using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace LoraFhe;

/// <summary>Each parameter's gradient norms by its name, as the caller sees them: what training adds, a view taken before shows.</summary>
internal sealed class GradientStatistics : IReadOnlyDictionary<string, IReadOnlyList<double>>
{
    private readonly OrderedDictionary<string, List<double>> _norms = new(StringComparer.Ordinal);

    // What was added since the last update: an exception takes it back.
    private readonly List<(string Name, int Count)> _unconfirmed = [];

    public int Count => _norms.Count;

    public IEnumerable<string> Keys => _norms.Keys;

    public IEnumerable<IReadOnlyList<double>> Values => _norms.Values;

    public IReadOnlyList<double> this[string key] => _norms[key];

    /// <summary>Appends a norm, once for each logged step it stands for.</summary>
    public void Add(string name, double norm, int count)
    {
        if (!_norms.TryGetValue(name, out var entries))
        {
            _norms.Add(name, entries = []);
        }

        entries.AddRange(Enumerable.Repeat(norm, count));
        _unconfirmed.Add((name, count));
    }

    /// <summary>What was added stays: the update was made.</summary>
    public void Confirm() => _unconfirmed.Clear();

    /// <summary>Takes back what was added since the last <see cref="Confirm"/>.</summary>
    public void Revert()
    {
        foreach (var (name, count) in _unconfirmed)
        {
            var entries = _norms[name];
            entries.RemoveRange(entries.Count - count, count);
            if (entries.Count == 0)
            {
                _norms.Remove(name);
            }
        }

        _unconfirmed.Clear();
    }

    /// <summary>Takes the norms of a checkpoint in place of its own.</summary>
    public void Replace(IReadOnlyDictionary<string, double[]> norms)
    {
        _unconfirmed.Clear();
        _norms.Clear();
        foreach (var (name, entries) in norms)
        {
            _norms.Add(name, [.. entries]);
        }
    }

    public bool ContainsKey(string key) => _norms.ContainsKey(key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out IReadOnlyList<double> value)
    {
        var found = _norms.TryGetValue(key, out var entries);
        value = entries;
        return found;
    }

    public IEnumerator<KeyValuePair<string, IReadOnlyList<double>>> GetEnumerator() =>
        _norms.Select(entry => KeyValuePair.Create<string, IReadOnlyList<double>>(entry.Key, entry.Value)).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
