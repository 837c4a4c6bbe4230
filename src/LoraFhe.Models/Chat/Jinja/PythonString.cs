using System.Buffers;
using System.Text;

namespace LoraFhe.Models;

/// <summary>Strings as Python sees them: a character is a code point. Half a surrogate pair counts as one.</summary>
internal static class PythonString
{
    // As str.isspace: what Unicode counts as white space, and the separators of ASCII.
    private static readonly SearchValues<char> Spaces = SearchValues.Create(
        "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000");

    /// <summary>Whether Python counts a character as white space.</summary>
    public static bool IsSpace(char character) => Spaces.Contains(character);

    /// <summary>Whether there is nothing but white space.</summary>
    public static bool IsBlank(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(Spaces);

    /// <summary>The text without white space at its end.</summary>
    public static string TrimEnd(string text) => text[..(text.AsSpan().LastIndexOfAnyExcept(Spaces) + 1)];

    /// <summary>The text without white space, or without the given characters, at its ends.</summary>
    public static string Strip(TemplateRun run, string text, string? characters, bool atStart, bool atEnd)
    {
        run.SpendSearch(text, characters ?? "");
        (int start, int end) = (0, text.Length);
        while (atStart && start < end && IsStripped(text.AsSpan(start, Width(text, start)), characters))
        {
            start += Width(text, start);
        }

        while (atEnd && start < end && IsStripped(text.AsSpan(end - WidthBefore(text, end), WidthBefore(text, end)), characters))
        {
            end -= WidthBefore(text, end);
        }

        return text[start..end];
    }

    /// <summary>How many characters there are.</summary>
    public static long Length(string text)
    {
        long length = 0;
        for (int i = 0; i < text.Length; i += Width(text, i))
        {
            length++;
        }

        return length;
    }

    /// <summary>The characters, each as a string.</summary>
    public static IReadOnlyList<string> Characters(TemplateRun run, string text)
    {
        run.Step(text.Length);
        var characters = new List<string>(text.Length);
        for (int i = 0; i < text.Length; i += Width(text, i))
        {
            characters.Add(text.Substring(i, Width(text, i)));
        }

        return characters;
    }

    /// <summary>The order of two strings, by code points.</summary>
    public static int Compare(string left, string right)
    {
        int i = left.AsSpan().CommonPrefixLength(right);
        return i == left.Length || i == right.Length ? left.Length.CompareTo(right.Length) : Rank(left[i]).CompareTo(Rank(right[i]));

        // Surrogates stand for code points above all others of UTF-16.
        static int Rank(char unit) => char.IsSurrogate(unit) ? unit + 0x10000 : unit;
    }

    /// <summary>The first character in upper case, the others in lower case.</summary>
    public static string Capitalize(string text)
    {
        int first = text.Length == 0 ? 0 : Width(text, 0);
        return text[..first].ToUpperInvariant() + text[first..].ToLowerInvariant();
    }

    /// <summary>Every run of letters capitalized, as <c>str.title</c> does it.</summary>
    public static string Title(string text) => CapitalizeWords(text, static rune => Rune.IsLetter(rune));

    /// <summary>Every word capitalized, as the filter <c>title</c> does it: words end at white space, hyphens and opening brackets.</summary>
    public static string TitleWords(string text) => CapitalizeWords(text, static rune => !(rune.IsBmp && (IsSpace((char)rune.Value) || "-({[<".Contains((char)rune.Value, StringComparison.Ordinal))));

    private static string CapitalizeWords(string text, Func<Rune, bool> isInWord)
    {
        var result = new StringBuilder(text.Length);
        bool startsWord = true;
        foreach (Rune rune in text.EnumerateRunes())
        {
            result.Append((startsWord ? Rune.ToUpperInvariant(rune) : Rune.ToLowerInvariant(rune)).ToString());
            startsWord = !isInWord(rune);
        }

        return result.ToString();
    }

    private static bool IsStripped(ReadOnlySpan<char> character, string? characters) =>
        characters is null ? character.Length == 1 && IsSpace(character[0]) : characters.AsSpan().IndexOf(character) >= 0;

    private static int Width(string text, int index) => char.IsHighSurrogate(text[index]) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]) ? 2 : 1;

    private static int WidthBefore(string text, int end) => char.IsLowSurrogate(text[end - 1]) && end > 1 && char.IsHighSurrogate(text[end - 2]) ? 2 : 1;
}
