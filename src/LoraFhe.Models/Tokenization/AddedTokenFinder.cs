using System.Text.RegularExpressions;

namespace LoraFhe.Models;

/// <summary>Finds added tokens in a text: leftmost first, the longest where several begin at one place.</summary>
internal sealed class AddedTokenFinder
{
    private readonly Dictionary<string, int> _ids;
    private readonly Regex[] _passes;

    /// <summary>Makes a finder.</summary>
    /// <param name="tokens">The added tokens, in any order.</param>
    public AddedTokenFinder(IReadOnlyCollection<AddedToken> tokens)
    {
        _ids = tokens.ToDictionary(token => token.Content, token => token.Id, StringComparer.Ordinal);
        _passes = [.. tokens.GroupBy(token => token.IsNormalized, token => token.Content).OrderBy(pass => pass.Key)
            .Select(pass => string.Join('|', pass.OrderByDescending(content => content.Length).Select(Regex.Escape)))
            .Select(pattern => new Regex(pattern, RegexOptions.CultureInvariant))];
    }

    /// <summary>Takes a text apart.</summary>
    /// <param name="text">The text.</param>
    /// <returns>In order: an added token's id with its text, or null with a text between them. No text is empty.</returns>
    public IEnumerable<(int? Id, string Text)> Split(string text)
    {
        IEnumerable<(int? Id, string Text)> parts = [(null, text)];
        foreach (Regex pass in _passes)
        {
            parts = parts.SelectMany(part => part.Id is null ? Split(pass, part.Text) : [part]);
        }

        return parts.Where(part => part.Text.Length > 0);
    }

    private IEnumerable<(int? Id, string Text)> Split(Regex pass, string text)
    {
        int done = 0;
        for (Match match = pass.Match(text); match.Success; match = match.NextMatch())
        {
            yield return (null, text[done..match.Index]);
            yield return (_ids[match.Value], match.Value);
            done = match.Index + match.Length;
        }

        yield return (null, text[done..]);
    }
}
