using System.Collections;
using System.Runtime.CompilerServices;

namespace LoraFhe;

/// <summary>Which layers of a model are meant: a list of names, a regular expression, or every linear layer. Immutable.</summary>
/// <example><c>TargetModules = ["q_proj", "v_proj"]</c>; <c>TargetModules = TargetModules.Pattern(@".*\.mlp\..*")</c>; <c>TargetModules = TargetModules.AllLinear</c></example>
[CollectionBuilder(typeof(TargetModules), nameof(Create))]
public sealed class TargetModules : IEnumerable<string>
{
    private readonly string[] _names;

    private TargetModules(string[] names, string? regularExpression)
    {
        _names = names;
        RegularExpression = regularExpression;
    }

    /// <summary>Every linear layer (<see cref="Lora.LinearLayers"/>) but the output embedding.</summary>
    public static TargetModules AllLinear { get; } = new([], null);

    /// <summary>The names of a list: a layer is meant if its dotted name is one of them or ends with a dot and one of them. Else empty.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>The regular expression that a layer's whole dotted name must match, or null.</summary>
    public string? RegularExpression { get; }

    /// <summary>A list of names or of their last segments.</summary>
    /// <param name="names">At least one, none empty; <see cref="LoraConfig.Validate"/> checks it.</param>
    public static TargetModules Create(ReadOnlySpan<string> names) => new(names.ToArray(), null);

    /// <summary>A regular expression that must match a layer's whole dotted name, such as <c>model\.layers\.[01]\..*_proj</c>.</summary>
    /// <param name="regularExpression">.NET's syntax, which agrees with Python's except in rarities; <see cref="LoraConfig.Validate"/> checks it.</param>
    public static TargetModules Pattern(string regularExpression)
    {
        ArgumentException.ThrowIfNullOrEmpty(regularExpression);
        return new([], regularExpression);
    }

    /// <summary>A list of names or of their last segments.</summary>
    public static implicit operator TargetModules(string[] names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return Create(names);
    }

    /// <summary>A list of names: what the conversion does, for languages without it.</summary>
    public static TargetModules FromStringArray(string[] names) => names;

    /// <inheritdoc/>
    public IEnumerator<string> GetEnumerator() => Names.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The names, the expression or <c>all-linear</c>, as an error message shows them.</summary>
    public override string ToString() => ReferenceEquals(this, AllLinear)
        ? "all-linear"
        : string.Join(", ", (RegularExpression is null ? _names : [RegularExpression]).Select(name => $"'{name}'"));
}
