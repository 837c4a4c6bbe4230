using System.Text.Json;

namespace LoraFhe.Models;

/// <summary>A value of a JSON file that knows where it stands, so that an error names the file and the key.</summary>
/// <param name="file">The file's name.</param>
/// <param name="path">The keys to the value, joined by dots; empty for the whole file.</param>
/// <param name="element">The value.</param>
internal readonly struct NamedJson(string file, string path, JsonElement element)
{
    /// <summary>The file's name.</summary>
    public string File => file;

    /// <summary>The keys to the value.</summary>
    public string Path => path;

    /// <summary>Whether the value is null.</summary>
    public bool IsNull => element.ValueKind == JsonValueKind.Null;

    /// <summary>Whether the value is an object.</summary>
    public bool IsObject => element.ValueKind == JsonValueKind.Object;

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
            return Read("an object", JsonValueKind.Object, value => value.EnumerateObject())
                .Select(member => (member.Name, new NamedJson(ownFile, prefix + member.Name, member.Value)));
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
        string name = System.IO.Path.GetFileName(path);
        try
        {
            using JsonDocument document = JsonDocument.Parse(System.IO.File.ReadAllBytes(path));
            return new NamedJson(name, "", document.RootElement.Clone());
        }
        catch (JsonException error)
        {
            throw new InvalidDataException(Errors.NotJson(name, error.Message));
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

    /// <summary>A truth value with a default for a missing member.</summary>
    public bool FlagOr(string key, bool otherwise) => TryGetValue(key, out NamedJson member) ? member.Flag : otherwise;

    /// <summary>The error of a value that is known but not supported.</summary>
    public InvalidDataException Unsupported(string supported) => new(Errors.JsonUnsupported(file, path, Shown(), supported));

    private string Shown() => element.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? "set" : element.GetRawText();

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

    private InvalidDataException Wrong(string expected) => new(Errors.JsonKind(file, path, expected));
}
