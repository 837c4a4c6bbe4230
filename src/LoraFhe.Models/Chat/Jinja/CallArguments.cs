namespace LoraFhe.Models;

/// <summary>The arguments of a call, a filter or a test, as parsed.</summary>
/// <param name="Positional">Those without a name.</param>
/// <param name="Named">Those with one.</param>
internal sealed record CallArguments(IReadOnlyList<TemplateExpression> Positional, IReadOnlyList<(string Name, TemplateExpression Value)> Named)
{
    /// <summary>No argument.</summary>
    public static CallArguments None { get; } = new([], []);
}
