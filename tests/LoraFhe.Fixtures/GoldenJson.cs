using System.Text.Json;

namespace LoraFhe.Fixtures;

/// <summary>A value of a recorded JSON file. Numbers that are not finite are the strings <c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c>.</summary>
/// <param name="element">The value.</param>
public readonly struct GoldenJson(JsonElement element)
{
    /// <summary>The value as System.Text.Json gives it.</summary>
    public JsonElement Element => element;

    /// <summary>A string.</summary>
    public string AsString => element.GetString() ?? throw new InvalidDataException("The recorded string is null.");

    /// <summary>Whether the value is null.</summary>
    public bool IsNull => element.ValueKind == JsonValueKind.Null;

    /// <summary>A truth value.</summary>
    public bool AsBoolean => element.GetBoolean();

    /// <summary>A whole number.</summary>
    public int AsInt32 => element.GetInt32();

    /// <summary>A whole number.</summary>
    public long AsInt64 => element.GetInt64();

    /// <summary>A number, finite or not.</summary>
    public double AsDouble => element.ValueKind == JsonValueKind.String
        ? element.GetString() switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            var other => throw new InvalidDataException($"'{other}' is no recorded number."),
        }
        : element.GetDouble();

    /// <summary>A list of numbers, finite or not.</summary>
    public double[] AsDoubles => [.. Items.Select(item => item.AsDouble)];

    /// <summary>A list of whole numbers.</summary>
    public int[] AsInt32s => [.. Items.Select(item => item.AsInt32)];

    /// <summary>A list of whole numbers.</summary>
    public long[] AsInt64s => [.. Items.Select(item => item.AsInt64)];

    /// <summary>A list of strings.</summary>
    public string[] AsStrings => [.. Items.Select(item => item.AsString)];

    /// <summary>The elements of an array.</summary>
    public IEnumerable<GoldenJson> Items => element.EnumerateArray().Select(item => new GoldenJson(item));

    /// <summary>The members of an object, in file order.</summary>
    public IEnumerable<(string Name, GoldenJson Value)> Members =>
        element.EnumerateObject().Select(member => (member.Name, new GoldenJson(member.Value)));

    /// <summary>A member of an object.</summary>
    public GoldenJson this[string name] => element.TryGetProperty(name, out JsonElement member)
        ? new GoldenJson(member)
        : throw new KeyNotFoundException($"The recorded object has no '{name}'.");

    /// <summary>An element of an array.</summary>
    public GoldenJson this[int index] => new(element[index]);

    /// <summary>Whether an object has a member.</summary>
    public bool Has(string name) => element.TryGetProperty(name, out _);
}
