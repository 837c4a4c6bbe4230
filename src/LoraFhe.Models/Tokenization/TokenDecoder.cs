using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace LoraFhe.Models;

/// <summary>Makes a text of tokens: one step after another, each from a list of strings to a list of strings; what is left at the end is joined.</summary>
internal sealed class TokenDecoder
{
    private const string Replacement = "\uFFFD";

    private readonly List<Func<List<string>, List<string>>> _steps = [];
    private double _growth = 1;

    private TokenDecoder()
    {
    }

    /// <summary>The decoder of a byte-level vocabulary.</summary>
    public static TokenDecoder ByteLevel { get; } = new() { _steps = { FromBytes } };

    /// <summary>Reads the <c>decoder</c> of a <c>tokenizer.json</c>.</summary>
    /// <param name="json">The value.</param>
    /// <param name="isByteLevel">Whether the vocabulary is one of bytes: then, and only then, the decoder must be so too.</param>
    /// <exception cref="InvalidDataException">A step is not supported; the text names it.</exception>
    public static TokenDecoder Read(NamedJson json, bool isByteLevel)
    {
        if (json.IsNull)
        {
            throw json.Unsupported("one that joins the tokens is");
        }

        NamedJson type = json["type"];
        if ((type.Text == "ByteLevel") != isByteLevel)
        {
            throw type.Unsupported("'ByteLevel' is exactly where it also ends 'pre_tokenizer'");
        }

        if (isByteLevel)
        {
            json.RequireKnown("type", "add_prefix_space", "trim_offsets", "use_regex");
            return ByteLevel;
        }

        var decoder = new TokenDecoder();
        decoder.Add(json);
        return decoder;
    }

    /// <summary>Makes a text.</summary>
    /// <param name="tokens">The tokens, as the vocabulary spells them.</param>
    public string Decode(List<string> tokens) => string.Concat(_steps.Aggregate(tokens, (current, step) => step(current)));

    private void Add(NamedJson step)
    {
        NamedJson type = step["type"];
        switch (type.Text)
        {
            case "Sequence":
                step.RequireKnown("type", "decoders");
                foreach (NamedJson inner in step["decoders"].Items)
                {
                    Add(inner);
                }

                break;
            case "Replace":
                (string pattern, string content) = step.Replacement(ref _growth);
                _steps.Add(tokens => tokens.ConvertAll(token => token.Replace(pattern, content, StringComparison.Ordinal)));
                break;
            case "ByteFallback":
                step.RequireKnown("type");
                _steps.Add(FromByteTokens);
                break;
            case "Fuse":
                step.RequireKnown("type");
                _steps.Add(tokens => [string.Concat(tokens)]);
                break;
            case "Strip":
                AddStrip(step);
                break;
            default:
                throw type.Unsupported("'Sequence', 'Replace', 'ByteFallback', 'Fuse' and 'Strip' are");
        }
    }

    private void AddStrip(NamedJson step)
    {
        step.RequireKnown("type", "content", "start", "stop");
        if (step["content"].Text is not [var content] || char.IsSurrogate(content))
        {
            throw step["content"].WrongValue("one character");
        }

        (int start, int stop) = (step["start"].Id, step["stop"].Id);
        _steps.Add(tokens => tokens.ConvertAll(token => Strip(token, content, start, stop)));
    }

    private static string Strip(string token, char content, int start, int stop)
    {
        int begin = 0;
        while (begin < token.Length && begin < start && token[begin] == content)
        {
            begin++;
        }

        int end = token.Length;
        while (end > begin && token.Length - end < stop && token[end - 1] == content)
        {
            end--;
        }

        return token[begin..end];
    }

    private static List<string> FromBytes(List<string> tokens)
    {
        var bytes = new List<byte>();
        foreach (string token in tokens)
        {
            ByteAlphabet.AppendBytes(token, bytes);
        }

        return [Encoding.UTF8.GetString([.. bytes])];
    }

    // A run of byte tokens that is not UTF-8 becomes one replacement character a byte.
    private static List<string> FromByteTokens(List<string> tokens)
    {
        var texts = new List<string>(tokens.Count);
        var run = new List<byte>();
        foreach (string token in tokens)
        {
            if (IsByteToken(token, out byte value))
            {
                run.Add(value);
                continue;
            }

            EndRun(run, texts);
            texts.Add(token);
        }

        EndRun(run, texts);
        return texts;
    }

    private static bool IsByteToken(string token, out byte value)
    {
        value = 0;
        return token is ['<', '0', 'x', _, _, '>'] && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    private static void EndRun(List<byte> run, List<string> texts)
    {
        byte[] bytes = [.. run];
        texts.AddRange(Utf8.IsValid(bytes) ? [Encoding.UTF8.GetString(bytes)] : Enumerable.Repeat(Replacement, bytes.Length));
        run.Clear();
    }
}
