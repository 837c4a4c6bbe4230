namespace LoraFhe.Models;

/// <summary>The variables of a block, and those around it.</summary>
/// <param name="outer">The block around; null for the template itself.</param>
internal sealed class TemplateScope(TemplateScope? outer)
{
    private readonly Dictionary<string, object?> _variables = new(StringComparer.Ordinal);

    /// <summary>Gives a variable of this block a value; one of the same name outside keeps its own.</summary>
    public void Set(string name, object? value) => _variables[name] = value;

    /// <summary>The value of a variable, if this block or one around it has it.</summary>
    public bool TryGet(string name, out object? value)
    {
        for (TemplateScope? scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._variables.TryGetValue(name, out value))
            {
                return true;
            }
        }

        value = null;
        return false;
    }

    private TemplateScope? Outer => outer;
}
