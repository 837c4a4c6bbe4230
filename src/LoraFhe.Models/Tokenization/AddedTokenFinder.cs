using System.Buffers;

namespace LoraFhe.Models;

/// <summary>Finds added tokens in a text: leftmost first, the longest where several begin at one place.</summary>
/// <remarks>Each token costs its own length: a regular expression of all of them takes minutes to build where thousands of tokens begin alike.</remarks>
internal sealed class AddedTokenFinder
{
    private readonly Dictionary<string, int> _ids;
    private readonly Pass[] _passes;

    /// <summary>Makes a finder.</summary>
    /// <param name="tokens">The added tokens, in any order.</param>
    public AddedTokenFinder(IReadOnlyCollection<AddedToken> tokens)
    {
        _ids = tokens.ToDictionary(token => token.Content, token => token.Id, StringComparer.Ordinal);
        _passes = [.. tokens.GroupBy(token => token.IsNormalized, token => token.Content).OrderBy(pass => pass.Key).Select(pass => new Pass(pass))];
    }

    /// <summary>Takes a text apart.</summary>
    /// <param name="text">The text.</param>
    /// <returns>In order: an added token's id with its text, or null with a text between them. No text is empty.</returns>
    public IEnumerable<(int? Id, string Text)> Split(string text)
    {
        IEnumerable<(int? Id, string Text)> parts = [(null, text)];
        foreach (Pass pass in _passes)
        {
            parts = parts.SelectMany(part => part.Id is null ? Split(pass, part.Text) : [part]);
        }

        return parts.Where(part => part.Text.Length > 0);
    }

    private IEnumerable<(int? Id, string Text)> Split(Pass pass, string text)
    {
        int done = 0;
        for (int start = pass.Next(text, 0); start >= 0; start = pass.Next(text, start))
        {
            if (pass.Longest(text, start) is not { } token)
            {
                start++;
                continue;
            }

            yield return (null, text[done..start]);
            yield return (_ids[token], token);
            start += token.Length;
            done = start;
        }

        yield return (null, text[done..]);
    }

    /// <summary>The tokens that are looked for together.</summary>
    private sealed class Pass
    {
        private readonly string[] _sorted;
        private readonly SearchValues<char> _beginnings;

        public Pass(IEnumerable<string> tokens)
        {
            _sorted = [.. tokens.Order(StringComparer.Ordinal)];
            _beginnings = SearchValues.Create([.. _sorted.Select(token => token[0]).Distinct()]);
        }

        /// <summary>The next place where a token may begin; below 0 if there is none.</summary>
        public int Next(string text, int start) => text.AsSpan(start).IndexOfAny(_beginnings) is >= 0 and int found ? start + found : -1;

        /// <summary>The longest token that begins at a place; null if none does.</summary>
        public string? Longest(string text, int start)
        {
            string? longest = null;

            // Those from low to below high begin as the text does, up to the length, and are longer.
            (int low, int high) = (0, _sorted.Length);
            for (int length = 0; low < high && start + length < text.Length; length++)
            {
                char unit = text[start + length];
                low = First(low, high, length, unit);
                high = First(low, high, length, unit + 1);
                if (low < high && _sorted[low].Length == length + 1)
                {
                    longest = _sorted[low++];
                }
            }

            return longest;
        }

        // The first of the tokens from low to below high whose character at the place is at least the given one; high if none is.
        private int First(int low, int high, int place, int unit)
        {
            while (low < high)
            {
                int middle = low + ((high - low) / 2);
                (low, high) = _sorted[middle][place] < unit ? (middle + 1, high) : (low, middle);
            }

            return low;
        }
    }
}
