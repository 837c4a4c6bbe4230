namespace LoraFhe.Models;

/// <summary>A dictionary in a template: keys are strings, in the order they came.</summary>
internal sealed class TemplateDictionary
{
    private readonly OrderedDictionary<string, object?> _entries = new(StringComparer.Ordinal);

    /// <summary>The entries in order.</summary>
    public IReadOnlyList<KeyValuePair<string, object?>> Entries => _entries;

    /// <summary>The value of a key; a key that comes twice keeps its place.</summary>
    public object? this[string key]
    {
        set => _entries[key] = value;
    }

    /// <summary>The value of a key, if it is there.</summary>
    public bool TryGet(string key, out object? value) => _entries.TryGetValue(key, out value);
}
