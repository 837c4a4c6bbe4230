namespace LoraFhe.Models;

/// <summary>What a loop or a <c>set</c> gives a value to.</summary>
/// <param name="Places">Variables, or attributes of namespaces.</param>
/// <param name="IsTuple">Whether the value is taken apart, one element a place.</param>
internal sealed record AssignmentTarget(IReadOnlyList<(string Name, string? Attribute)> Places, bool IsTuple);
