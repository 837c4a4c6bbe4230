using System.Text.Json;

namespace LoraFhe.Models;

/// <summary>A JSON object of a model folder, read key by key; every fault names the file, the key, what was found and what was expected.</summary>
internal readonly struct JsonSection
{
    private const int LongestQuote = 60;

    private readonly JsonElement _element;
    private readonly string _prefix;

    private JsonSection(JsonElement element, string file, string prefix) => (_element, File, _prefix) = (element, file, prefix);

    /// <summary>The file's name, as errors give it.</summary>
    public string File { get; }

    /// <summary>The keys that are there.</summary>
    public IEnumerable<string> Keys => _element.EnumerateObject().Select(property => property.Name);

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It is not JSON, or not an object.</exception>
    public static JsonSection Read(string path) => Parse(System.IO.File.ReadAllText(path), Path.GetFileName(path));

    /// <summary>Reads a text.</summary>
    /// <param name="json">The text.</param>
    /// <param name="file">The name that errors give.</param>
    /// <exception cref="InvalidDataException">It is not JSON, or not an object.</exception>
    public static JsonSection Parse(string json, string file)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new JsonSection(document.RootElement.Clone(), file, "")
                : throw new InvalidDataException(Errors.NotAnObject(file));
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException(Errors.NotJson(file, exception.Message), exception);
        }
    }

    /// <summary>Whether the key is there with a value other than null.</summary>
    public bool Has(string key) => _element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>An object below a key; null where it is absent or null.</summary>
    public JsonSection? Section(string key) => Value(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } value => new JsonSection(value, File, Name(key) + "."),
        { } value => throw Fault(key, value, "an object"),
    };

    /// <summary>A text; null where it is absent or null.</summary>
    public string? Text(string key) => Value(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        { } value => throw Fault(key, value, "a text"),
    };

    /// <summary>The texts of a list; null where it is absent or null.</summary>
    public IReadOnlyList<string>? Texts(string key)
    {
        if (Value(key) is not { } value)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(item => item.GetString() ?? "")]
            : throw Fault(key, value, "a list of texts");
    }

    /// <summary>Every key with its text, in the file's order.</summary>
    public IEnumerable<KeyValuePair<string, string>> AllTexts()
    {
        foreach (var property in _element.EnumerateObject())
        {
            yield return property.Value.ValueKind == JsonValueKind.String
                ? KeyValuePair.Create(property.Name, property.Value.GetString() ?? "")
                : throw Fault(property.Name, property.Value, "a text");
        }
    }

    /// <summary>true or false; the default where it is absent or null.</summary>
    public bool Flag(string key, bool otherwise) => Value(key) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Fault(key, value, "true or false"),
    };

    /// <summary>A whole number of at least 1; null where it is absent or null.</summary>
    public int? Count(string key) => Value(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var number) && number > 0 => number,
        { } value => throw Fault(key, value, "a whole number of at least 1"),
    };

    /// <summary>A whole number of at least 1 that must be there.</summary>
    public int RequiredCount(string key) => Count(key) ?? throw new InvalidDataException(Errors.KeyMissing(File, Name(key)));

    /// <summary>A finite number of at least <paramref name="least"/>; null where it is absent or null.</summary>
    public double? Number(string key, double least)
    {
        if (Value(key) is not { } value)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) && number >= least
            ? number
            : throw Fault(key, value, least == double.Epsilon ? "a number above 0" : FormattableString.Invariant($"a number of at least {least}"));
    }

    /// <summary>A token id or a list of them; null where it is absent or null.</summary>
    public IReadOnlyList<int>? Ids(string key)
    {
        if (Value(key) is not { } value)
        {
            return null;
        }

        var items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : new[] { value };
        var ids = new List<int>();
        foreach (var item in items)
        {
            ids.Add(item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var id) && id >= 0
                ? id
                : throw Fault(key, value, "a token id, a list of them, or null"));
        }

        return ids;
    }

    /// <summary>The fault of a key whose value is of the right kind, but not usable.</summary>
    public InvalidDataException Fault(string key, string expected) => Fault(key, _element.GetProperty(key), expected);

    /// <summary>The fault of an option this library does not have.</summary>
    public InvalidDataException Unsupported(string key, string supported) =>
        new(Errors.UnsupportedOption(File, Name(key), Quote(_element.GetProperty(key)), supported));

    private InvalidDataException Fault(string key, JsonElement found, string expected) => new(Errors.KeyValue(File, Name(key), Quote(found), expected));

    private JsonElement? Value(string key) => Has(key) ? _element.GetProperty(key) : null;

    private string Name(string key) => _prefix + key;

    private static string Quote(JsonElement value)
    {
        var text = value.GetRawText().ReplaceLineEndings(" ");
        return text.Length <= LongestQuote ? text : text[..LongestQuote] + "...";
    }
}
