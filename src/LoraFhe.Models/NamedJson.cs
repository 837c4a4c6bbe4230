using System.Text.Encodings.Web;
using System.Text.Json;

namespace LoraFhe.Models;

/// <summary>A value of a JSON file that knows where it stands, so that an error names the file and the key.</summary>
/// <param name="file">The file's name.</param>
/// <param name="path">The keys to the value, joined by dots; empty for the whole file.</param>
/// <param name="element">The value.</param>
internal readonly struct NamedJson(string file, string path, JsonElement element)
{
    private const int LongestShown = 60;

    private static readonly JsonSerializerOptions OnOneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The file's name.</summary>
    public string File => file;

    /// <summary>The keys to the value.</summary>
    public string Path => path;

    /// <summary>Whether the value is null, or missing.</summary>
    public bool IsNull => element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    /// <summary>Whether the value is an object.</summary>
    public bool IsObject => element.ValueKind == JsonValueKind.Object;

    /// <summary>Whether the value is an array.</summary>
    public bool IsArray => element.ValueKind == JsonValueKind.Array;

    /// <summary>Whether the value is a string.</summary>
    public bool IsText => element.ValueKind == JsonValueKind.String;

    /// <summary>The value as a string.</summary>
    /// <exception cref="InvalidDataException">It is not a string.</exception>
    public string Text => Read("a string", JsonValueKind.String, value => value.GetString()!);

    /// <summary>The value as a truth value.</summary>
    /// <exception cref="InvalidDataException">It is neither true nor false.</exception>
    public bool Flag => element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong("true or false"),
    };

    /// <summary>The value as a whole number from 0.</summary>
    /// <exception cref="InvalidDataException">It is not, or is above 2^31 - 1.</exception>
    public int Id =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int id) && id >= 0 ? id : throw Wrong("a whole number from 0");

    /// <summary>The value as a whole number from 1.</summary>
    /// <exception cref="InvalidDataException">It is not, or is above 2^31 - 1.</exception>
    public int Count =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int count) && count > 0 ? count : throw WrongValue("a whole number from 1");

    /// <summary>An array's elements.</summary>
    /// <exception cref="InvalidDataException">The value is not an array.</exception>
    public IEnumerable<NamedJson> Items
    {
        get
        {
            (string ownFile, string ownPath) = (file, path);
            return Read("an array", JsonValueKind.Array, value => value.EnumerateArray())
                .Select((item, index) => new NamedJson(ownFile, $"{ownPath}[{index}]", item));
        }
    }

    /// <summary>An object's members, in file order.</summary>
    /// <exception cref="InvalidDataException">The value is not an object.</exception>
    public IEnumerable<(string Name, NamedJson Value)> Members
    {
        get
        {
            (string ownFile, string prefix) = (file, Prefix);
            return Read("an object", JsonValueKind.Object, value => value.EnumerateObject()).Select(member =>
            {
                string name = NameOf(member, ownFile, prefix);
                return (name, new NamedJson(ownFile, prefix + name, member.Value));
            });
        }
    }

    private string Prefix => path.Length == 0 ? "" : path + ".";

    /// <summary>A member that must be there; it may be null.</summary>
    /// <exception cref="InvalidDataException">The value is not an object or has no such member.</exception>
    public NamedJson this[string key] =>
        TryGet(key, out NamedJson member) ? member : throw new InvalidDataException(Errors.JsonMissing(file, Prefix + key));

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file's path.</param>
    /// <exception cref="InvalidDataException">The file is not JSON.</exception>
    public static NamedJson ReadFile(string path)
    {
        return Parse(System.IO.File.ReadAllBytes(path), System.IO.Path.GetFileName(path));
    }

    /// <summary>Reads a file's content.</summary>
    /// <param name="content">JSON in UTF-8.</param>
    /// <param name="name">What errors call the file.</param>
    /// <exception cref="InvalidDataException">The content is not JSON.</exception>
    public static NamedJson Parse(ReadOnlyMemory<byte> content, string name)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(content);
            return new NamedJson(name, "", document.RootElement.Clone());
        }
        catch (JsonException error)
        {
            throw new InvalidDataException(Errors.NotJson(name, 1 + (error.LineNumber ?? 0), error.BytePositionInLine ?? 0), error);
        }
    }

    /// <summary>A member that may be missing.</summary>
    /// <exception cref="InvalidDataException">The value is not an object.</exception>
    public bool TryGet(string key, out NamedJson member)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Wrong("an object");
        }

        bool found = element.TryGetProperty(key, out JsonElement value);
        member = new NamedJson(file, Prefix + key, value);
        return found;
    }

    /// <summary>A member that is neither missing nor null.</summary>
    /// <exception cref="InvalidDataException">The value is not an object.</exception>
    public bool TryGetValue(string key, out NamedJson member) => TryGet(key, out member) && !member.IsNull;

    /// <summary>A member that may be missing, which then counts as null.</summary>
    /// <exception cref="InvalidDataException">The value is not an object.</exception>
    public NamedJson OrNull(string key)
    {
        TryGet(key, out NamedJson member);
        return member;
    }

    /// <summary>A truth value with a default for a missing member.</summary>
    public bool FlagOr(string key, bool otherwise) => TryGetValue(key, out NamedJson member) ? member.Flag : otherwise;

    /// <summary>A whole number from 1 with a default for a missing member.</summary>
    public int CountOr(string key, int otherwise) => TryGetValue(key, out NamedJson member) ? member.Count : otherwise;

    /// <summary>A number with a default for a missing member.</summary>
    public double NumberOr(string key, Func<double, bool> isValid, string expected, double otherwise) =>
        TryGetValue(key, out NamedJson member) ? member.Number(isValid, expected) : otherwise;

    /// <summary>A string; null for a missing member.</summary>
    public string? TextOrNull(string key) => TryGetValue(key, out NamedJson member) ? member.Text : null;

    /// <summary>The value as a finite number.</summary>
    /// <param name="isValid">What else it must be.</param>
    /// <param name="expected">The same in words.</param>
    /// <exception cref="InvalidDataException">It is not.</exception>
    public double Number(Func<double, bool> isValid, string expected) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetDouble(out double number) && double.IsFinite(number) && isValid(number)
            ? number
            : throw WrongValue(expected);

    /// <summary>The error of a value that is known but not supported.</summary>
    public InvalidDataException Unsupported(string supported) => new(Errors.JsonUnsupported(file, path, Shown(), supported));

    /// <summary>The error of a configuration's value that is not what it must be; quotes it, so never for a user's text.</summary>
    public InvalidDataException WrongValue(string expected) => new(Errors.JsonValue(file, path, expected, Shown()));

    private static string NameOf(JsonProperty member, string file, string prefix)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair in an escape.
            throw new InvalidDataException(Errors.JsonKeyNotText(file, prefix));
        }
    }

    private string Shown()
    {
        string text = JsonSerializer.Serialize(element, OnOneLine);
        return text.Length <= LongestShown ? text : string.Concat(text.AsSpan(0, LongestShown), "...");
    }

    private T Read<T>(string expected, JsonValueKind kind, Func<JsonElement, T> read)
    {
        if (element.ValueKind != kind)
        {
            throw Wrong(expected);
        }

        try
        {
            return read(element);
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair in an escape.
            throw Wrong(expected);
        }
    }

    // Rows of a data set are read with the same members: what was found is private and stays out of the text.
    private InvalidDataException Wrong(string expected) => new(Errors.JsonKind(file, path, expected));
}
