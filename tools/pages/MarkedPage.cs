using LoraFhe.Samples.FineTuneText;

namespace LoraFhe.Tools.Pages;

/// <summary>A page of Markdown with parts that a program writes: what stands between <c>&lt;!-- name --&gt;</c> and the next <c>&lt;!-- end --&gt;</c>.</summary>
internal static class MarkedPage
{
    private const string End = "<!-- end -->";

    /// <exception cref="InvalidDataException">The page has no such part.</exception>
    public static void Replace(string path, string name, string content)
    {
        var text = File.ReadAllText(path);
        var mark = $"<!-- {name} -->\n";
        var start = text.IndexOf(mark, StringComparison.Ordinal);
        var end = start < 0 ? -1 : text.IndexOf(End, start, StringComparison.Ordinal);
        if (end < 0)
        {
            throw new InvalidDataException($"'{path}' has no part between '{mark.Trim()}' and '{End}'.");
        }

        WholeFile.Write(path, text[..(start + mark.Length)] + content + text[end..]);
    }
}
