using System.Text.Json;

namespace LoraFhe;

/// <summary>The members of an adapter's configuration, read one by one; faults are collected, so that all are reported together.</summary>
internal sealed class PeftOptions
{
    private readonly Dictionary<string, JsonElement> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    /// <param name="root">A JSON object; of members of one name the last counts, as in Python.</param>
    public PeftOptions(JsonElement root)
    {
        foreach (var member in root.EnumerateObject())
        {
            _members[member.Name] = member.Value;
        }
    }

    /// <summary>What is wrong so far, each a sentence that names the key.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>The keys that were neither read nor are in <paramref name="ignored"/>.</summary>
    public IReadOnlyList<string> Unread(IEnumerable<string> ignored) =>
        [.. _members.Keys.Where(key => !_read.Contains(key) && !ignored.Contains(key, StringComparer.Ordinal))];

    /// <summary>Whether a member is missing, null, false or empty.</summary>
    public bool IsNeutral(string key)
    {
        _read.Add(key);
        return !_members.TryGetValue(key, out var value) || value.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.False => true,
            JsonValueKind.Array => value.GetArrayLength() == 0,
            JsonValueKind.Object => value.GetPropertyCount() == 0,
            _ => false,
        };
    }

    public int Integer(string key, int missing) => Find(key) is not { } value ? missing : AsInteger(key, value);

    public double Number(string key, double missing) => Find(key) is not { } value ? missing : AsNumber(key, value);

    public bool Flag(string key)
    {
        if (Find(key) is not { } value)
        {
            return false;
        }

        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : Fault<bool>(key, value, "true or false");
    }

    public string? Text(string key, bool required = false)
    {
        if (Find(key) is { } value)
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : Fault<string>(key, value, "a string");
        }

        if (required)
        {
            Faults.Add(Errors.KeyMissing(key));
        }

        return null;
    }

    /// <summary>A list of strings, or one string alone as a list of one; null if missing.</summary>
    public IReadOnlyList<string>? TextList(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => [value.GetString()!],
        { ValueKind: JsonValueKind.Array } value when value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) =>
            [.. value.EnumerateArray().Select(item => item.GetString()!)],
        { } value => Fault<IReadOnlyList<string>>(key, value, "a string or a list of strings"),
    };

    /// <summary>A list of integers, or one integer alone as a list of one; null if missing.</summary>
    public IReadOnlyList<int>? IntegerList(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } value => [.. value.EnumerateArray().Select(item => AsInteger(key, item))],
        { } value => [AsInteger(key, value)],
    };

    /// <summary>A list of names, a regular expression, <c>all-linear</c>, or null.</summary>
    public TargetModules? Modules(string key)
    {
        if (Find(key) is not { } value)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            var text = value.GetString()!;
            return text.Equals(PeftSpelling.AllLinear, StringComparison.OrdinalIgnoreCase) ? TargetModules.AllLinear
                : text.Length > 0 ? TargetModules.Pattern(text)
                : Fault<TargetModules>(key, value, "a name");
        }

        return TextList(key) is { } names ? [.. names] : null;
    }

    public OrderedDictionary<string, int> Integers(string key) => Map(key, AsInteger);

    public OrderedDictionary<string, double> Numbers(string key) => Map(key, AsNumber);

    public T Choice<T>(string key, (string Text, T Value)[] table, T missing)
        where T : struct, Enum => OptionalChoice(key, table) ?? missing;

    public T? OptionalChoice<T>(string key, (string Text, T Value)[] table)
        where T : struct, Enum
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        foreach (var row in table)
        {
            if (row.Text == text)
            {
                return row.Value;
            }
        }

        Faults.Add(Errors.UnknownChoice(key, text, table.Select(row => row.Text)));
        return null;
    }

    public InitLoraWeights Initialization(string key) => Find(key) switch
    {
        null or { ValueKind: JsonValueKind.True } => InitLoraWeights.KaimingUniform,
        { ValueKind: JsonValueKind.False } => InitLoraWeights.Random,
        { ValueKind: JsonValueKind.String } value => Initialization(key, value.GetString()!),
        { } value => Fault<InitLoraWeights>(key, value, "true, false or a string"),
    };

    /// <summary>Copies of those of the members that the file has.</summary>
    public Dictionary<string, JsonElement> Present(IEnumerable<string> keys) => keys
        .Where(_members.ContainsKey)
        .ToDictionary(key => key, key => _members[key].Clone(), StringComparer.Ordinal);

    private InitLoraWeights Initialization(string key, string text)
    {
        if (Array.Find(PeftSpelling.Initializations, row => row.Text.Equals(text, StringComparison.OrdinalIgnoreCase)) is { Text: not null } row)
        {
            return row.Value;
        }

        Faults.Add(Errors.InitializationNotSupported(key, text, PeftSpelling.Initializations.Select(entry => entry.Text)));
        return default;
    }

    private OrderedDictionary<string, T> Map<T>(string key, Func<string, JsonElement, T> read)
    {
        var map = new OrderedDictionary<string, T>(StringComparer.Ordinal);
        if (Find(key) is not { } value)
        {
            return map;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            Faults.Add(Errors.WrongJsonType(key, value.ValueKind.ToString(), "an object"));
            return map;
        }

        foreach (var member in value.EnumerateObject())
        {
            map[member.Name] = read($"{key}['{member.Name}']", member.Value);
        }

        return map;
    }

    private int AsInteger(string key, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : Fault<int>(key, value, "an integer");

    private double AsNumber(string key, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number ? value.GetDouble() : Fault<double>(key, value, "a number");

    // Null stands for "not given", as None does in peft.
    private JsonElement? Find(string key)
    {
        _read.Add(key);
        return _members.TryGetValue(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private T? Fault<T>(string key, JsonElement value, string expected)
    {
        Faults.Add(Errors.WrongJsonType(key, value.ValueKind.ToString(), expected));
        return default;
    }
}
