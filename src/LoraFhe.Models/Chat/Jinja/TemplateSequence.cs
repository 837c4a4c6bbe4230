namespace LoraFhe.Models;

/// <summary>A sequence of values in a template.</summary>
internal sealed class TemplateSequence(IReadOnlyList<object?> items, SequenceKind kind)
{
    private int _taken;

    /// <summary>What it is in Python.</summary>
    public SequenceKind Kind => kind;

    /// <summary>The elements of what is no generator.</summary>
    public IReadOnlyList<object?> Items => items;

    /// <summary>The elements; those of a generator only once.</summary>
    public IReadOnlyList<object?> Take()
    {
        IReadOnlyList<object?> rest = _taken == 0 ? items : [.. items.Skip(_taken)];
        _taken = kind == SequenceKind.Generator ? items.Count : 0;
        return rest;
    }

    /// <summary>A generator's next element, if it has one left.</summary>
    public (bool IsThere, object? Item) TakeFirst() => _taken < items.Count ? (true, items[_taken++]) : (false, null);

    /// <summary>A list.</summary>
    public static TemplateSequence List(IReadOnlyList<object?> items) => new(items, SequenceKind.List);
}
