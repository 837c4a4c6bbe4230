namespace LoraFhe.Models;

/// <summary>A namespace: the one value that a template can change from inside of a loop.</summary>
internal sealed class TemplateNamespace
{
    /// <summary>The attributes.</summary>
    public Dictionary<string, object?> Attributes { get; } = new(StringComparer.Ordinal);
}
