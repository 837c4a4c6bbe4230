using System.Globalization;
using System.Text;

namespace LoraFhe.Models;

/// <summary>The escapes of a string in a template: Python's.</summary>
internal static class StringEscapes
{
    private const string Names = "\n\\'\"abfnrtv";
    private static readonly string[] Values = ["", "\\", "'", "\"", "\a", "\b", "\f", "\n", "\r", "\t", "\v"];

    /// <summary>Replaces escapes; an unknown one stays as it is written.</summary>
    /// <returns>Null if one is incomplete, or is <c>\N{...}</c>.</returns>
    public static string? Decode(ReadOnlySpan<char> written)
    {
        if (!written.Contains('\\'))
        {
            return written.ToString();
        }

        var text = new StringBuilder(written.Length);
        for (int i = 0; i < written.Length;)
        {
            if (written[i] != '\\')
            {
                text.Append(written[i++]);
                continue;
            }

            int used = AppendEscape(written[(i + 1)..], text);
            if (used < 0)
            {
                return null;
            }

            i += 1 + used;
        }

        return text.ToString();
    }

    private static int AppendEscape(ReadOnlySpan<char> rest, StringBuilder text)
    {
        char name = rest[0];
        if (Names.IndexOf(name, StringComparison.Ordinal) is >= 0 and int index)
        {
            text.Append(Values[index]);
            return 1;
        }

        if (name is >= '0' and <= '7')
        {
            int digits = 1;
            while (digits < Math.Min(3, rest.Length) && rest[digits] is >= '0' and <= '7')
            {
                digits++;
            }

            text.Append((char)Convert.ToInt32(rest[..digits].ToString(), 8));
            return digits;
        }

        return name switch
        {
            'x' => AppendCode(rest, 2, text),
            'u' => AppendCode(rest, 4, text),
            'U' => AppendCode(rest, 8, text),
            'N' or > '\x7f' => -1,
            _ => AppendUnknown(name, text),
        };
    }

    private static int AppendCode(ReadOnlySpan<char> rest, int digits, StringBuilder text)
    {
        if (rest.Length <= digits || !uint.TryParse(rest.Slice(1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint code) || code > 0x10FFFF)
        {
            return -1;
        }

        text.Append(code > 0xFFFF ? char.ConvertFromUtf32((int)code) : ((char)code).ToString());
        return digits + 1;
    }

    private static int AppendUnknown(char name, StringBuilder text)
    {
        text.Append('\\').Append(name);
        return 1;
    }
}
