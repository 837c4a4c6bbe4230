namespace LoraFhe.Models;

/// <summary>Token ids in a configuration: one, or a list of them.</summary>
internal static class TokenIds
{
    /// <summary>Reads a key; null where it is absent or null.</summary>
    /// <exception cref="InvalidDataException">It is neither an id nor a list of ids.</exception>
    public static IReadOnlyList<int>? Read(NamedJson json, string key)
    {
        if (!json.TryGetValue(key, out var value))
        {
            return null;
        }

        return value.IsArray ? [.. value.Items.Select(item => item.Id)] : [value.Id];
    }

    /// <summary>Reads <c>pad_token_id</c>; null where it is absent or null, below 0 in old files: no text has such a token.</summary>
    /// <exception cref="InvalidDataException">It is no whole number.</exception>
    public static int? ReadPadding(NamedJson json) => json.TryGetValue("pad_token_id", out var value)
        ? (int)value.Number(number => number == Math.Truncate(number) && Math.Abs(number) <= int.MaxValue, "a whole number")
        : null;
}
