using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace LoraFhe.Models;

/// <summary>
/// The pre-tokenizer: cuts a text into pieces, one pattern after another, each applied to every piece of the one before. A match is a
/// piece, and so is what lies between two matches.
/// </summary>
/// <remarks>
/// Patterns are written for code points, .NET's regular expressions see UTF-16. A text with characters above U+FFFF is therefore matched
/// through a stand-in that has one character a code point: one of the same general category from below U+FFFF.
/// </remarks>
internal sealed class TextSplitter(IReadOnlyList<Regex> patterns)
{
    // A character below U+FFFF, not ASCII, for each general category; surrogates cannot occur and private use and controls stand for themselves.
    private static readonly Dictionary<UnicodeCategory, char> StandIns = new()
    {
        [UnicodeCategory.UppercaseLetter] = '\u0391',
        [UnicodeCategory.LowercaseLetter] = '\u03B1',
        [UnicodeCategory.TitlecaseLetter] = '\u01C5',
        [UnicodeCategory.ModifierLetter] = '\u02B0',
        [UnicodeCategory.OtherLetter] = '\u05D0',
        [UnicodeCategory.NonSpacingMark] = '\u0301',
        [UnicodeCategory.SpacingCombiningMark] = '\u0903',
        [UnicodeCategory.EnclosingMark] = '\u0488',
        [UnicodeCategory.DecimalDigitNumber] = '\u0660',
        [UnicodeCategory.LetterNumber] = '\u2160',
        [UnicodeCategory.OtherNumber] = '\u00B2',
        [UnicodeCategory.ConnectorPunctuation] = '\u203F',
        [UnicodeCategory.DashPunctuation] = '\u2013',
        [UnicodeCategory.OpenPunctuation] = '\u2045',
        [UnicodeCategory.ClosePunctuation] = '\u2046',
        [UnicodeCategory.InitialQuotePunctuation] = '\u00AB',
        [UnicodeCategory.FinalQuotePunctuation] = '\u00BB',
        [UnicodeCategory.OtherPunctuation] = '\u00B7',
        [UnicodeCategory.MathSymbol] = '\u00D7',
        [UnicodeCategory.CurrencySymbol] = '\u20AC',
        [UnicodeCategory.ModifierSymbol] = '\u00A8',
        [UnicodeCategory.OtherSymbol] = '\u00A9',
        [UnicodeCategory.Format] = '\u00AD',
        [UnicodeCategory.PrivateUse] = '\uE000',
        [UnicodeCategory.OtherNotAssigned] = '\u0378',
    };

    /// <summary>Cuts a text.</summary>
    /// <param name="text">The text.</param>
    /// <returns>The pieces, in order; together they are the whole text and none is empty.</returns>
    /// <exception cref="InvalidDataException">A pattern's match does not end.</exception>
    public List<Range> Split(string text)
    {
        int[]? offsets = null;
        string matched = text;
        if (text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            (matched, offsets) = StandIn(text);
        }

        var pieces = new List<(int Start, int End)>();
        Add(0, matched.Length, pieces);
        foreach (Regex pattern in patterns)
        {
            var finer = new List<(int Start, int End)>(pieces.Count);
            foreach ((int start, int end) in pieces)
            {
                CutInTime(pattern, matched.AsSpan(start, end - start), start, finer);
            }

            pieces = finer;
        }

        return pieces.ConvertAll(piece => offsets is null ? piece.Start..piece.End : offsets[piece.Start]..offsets[piece.End]);
    }

    private static void CutInTime(Regex pattern, ReadOnlySpan<char> text, int start, List<(int Start, int End)> pieces)
    {
        try
        {
            Cut(pattern, text, start, pieces);
        }
        catch (RegexMatchTimeoutException)
        {
            // Not handed on: it holds the text.
            throw new InvalidDataException(Errors.SlowPattern(pattern.ToString()));
        }
    }

    private static void Cut(Regex pattern, ReadOnlySpan<char> text, int start, List<(int Start, int End)> pieces)
    {
        int done = 0;
        foreach (ValueMatch match in pattern.EnumerateMatches(text))
        {
            Add(start + done, start + match.Index, pieces);
            Add(start + match.Index, start + match.Index + match.Length, pieces);
            done = match.Index + match.Length;
        }

        Add(start + done, start + text.Length, pieces);
    }

    private static void Add(int start, int end, List<(int Start, int End)> pieces)
    {
        if (start < end)
        {
            pieces.Add((start, end));
        }
    }

    private static (string Text, int[] Offsets) StandIn(string text)
    {
        var standIn = new StringBuilder(text.Length);
        var offsets = new List<int>(text.Length + 1);
        int offset = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            offsets.Add(offset);
            standIn.Append(rune.IsBmp ? (char)rune.Value : StandIns[Rune.GetUnicodeCategory(rune)]);
            offset += rune.Utf16SequenceLength;
        }

        offsets.Add(offset);
        return (standIn.ToString(), [.. offsets]);
    }
}
