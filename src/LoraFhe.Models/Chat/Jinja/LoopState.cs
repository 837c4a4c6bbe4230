namespace LoraFhe.Models;

/// <summary>The variable <c>loop</c> of a loop's body.</summary>
/// <param name="items">What the loop goes through.</param>
internal sealed class LoopState(IReadOnlyList<object?> items)
{
    /// <summary>The iteration, from 0.</summary>
    public int Index { get; set; }

    /// <summary>An attribute; undefined if there is none of the name.</summary>
    public object? Attribute(TemplateRun run, string name) => name switch
    {
        "index" => (long)Index + 1,
        "index0" => (long)Index,
        "first" => Index == 0,
        "last" => Index == items.Count - 1,
        "length" => (long)items.Count,
        "revindex" => (long)items.Count - Index,
        "revindex0" => (long)items.Count - Index - 1,
        "previtem" => Index > 0 ? items[Index - 1] : new TemplateUndefined("loop.previtem"),
        "nextitem" => Index < items.Count - 1 ? items[Index + 1] : new TemplateUndefined("loop.nextitem"),
        "depth" => 1L,
        "depth0" => 0L,
        "cycle" or "changed" => throw run.Fault(Errors.TemplateUnsupported($"'loop.{name}'")),
        _ => new TemplateUndefined("loop." + name),
    };
}
