using System.Text.RegularExpressions;

namespace LoraFhe.Models;

/// <summary>Cuts a text into the pieces that are encoded one by one, and spells them as the vocabulary does.</summary>
internal sealed class PreTokenizer
{
    // How GPT-2 cuts a text; the ByteLevel pre-tokenizer does so itself unless use_regex is false.
    private const string Gpt2Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    // Compiling takes time by a pattern's length; real ones have a hundred or two.
    private const int LongestPattern = 2000;

    // A pattern that needs longer for one match would never end: the time of a real one grows as the text.
    private static readonly TimeSpan LongestMatch = TimeSpan.FromSeconds(20);

    private readonly List<Regex> _patterns = [];
    private readonly TextSplitter _splitter;

    private PreTokenizer() => _splitter = new TextSplitter(_patterns);

    /// <summary>GPT-2's own.</summary>
    public static PreTokenizer Gpt2 { get; } = MakeGpt2();

    /// <summary>The patterns that cut, in the order they are applied.</summary>
    public IReadOnlyList<Regex> Patterns => _patterns;

    /// <summary>Whether the vocabulary's tokens are made of bytes, spelt in <see cref="ByteAlphabet"/>.</summary>
    public bool IsByteLevel { get; private set; }

    /// <summary>Reads the <c>pre_tokenizer</c> of a <c>tokenizer.json</c>.</summary>
    /// <param name="json">The value; null leaves a text in one piece.</param>
    /// <exception cref="InvalidDataException">A step is not supported; the text names it.</exception>
    public static PreTokenizer Read(NamedJson json)
    {
        var preTokenizer = new PreTokenizer();
        NamedJson[] steps = json.IsNull ? [] : [json];
        if (!json.IsNull && json["type"].Text == "Sequence")
        {
            json.RequireKnown("type", "pretokenizers");
            steps = [.. json["pretokenizers"].Items];
        }

        for (int i = 0; i < steps.Length; i++)
        {
            preTokenizer.Add(steps[i], isLast: i == steps.Length - 1);
        }

        return preTokenizer;
    }

    /// <summary>Cuts and spells a text.</summary>
    /// <param name="text">The normalized text.</param>
    /// <returns>The pieces, in order; none is empty.</returns>
    public IEnumerable<string> Split(string text)
    {
        foreach (Range piece in _splitter.Split(text))
        {
            yield return IsByteLevel ? ByteAlphabet.Spell(text.AsSpan()[piece]) : text[piece];
        }
    }

    private static PreTokenizer MakeGpt2()
    {
        var preTokenizer = new PreTokenizer { IsByteLevel = true };
        preTokenizer._patterns.Add(new Regex(Gpt2Pattern, RegexOptions.CultureInvariant | RegexOptions.Compiled, LongestMatch));
        return preTokenizer;
    }

    private void Add(NamedJson step, bool isLast)
    {
        NamedJson type = step["type"];
        switch (type.Text)
        {
            case "Split":
                AddSplit(step);
                break;
            case "Digits":
                step.RequireKnown("type", "individual_digits");
                AddPattern(step, step.FlagOr("individual_digits", otherwise: false) ? @"\p{N}" : @"\p{N}+");
                break;
            case "ByteLevel" when isLast:
                AddByteLevel(step);
                break;
            default:
                throw type.Unsupported("'Split' and 'Digits' are, and 'ByteLevel' at the end");
        }
    }

    private void AddSplit(NamedJson step)
    {
        step.RequireKnown("type", "pattern", "behavior", "invert");
        step.Require("behavior", "Isolated");
        step.RequireFalse("invert", otherwise: false);
        NamedJson pattern = step["pattern"];
        if (pattern.TryGet("String", out NamedJson literal))
        {
            AddPattern(literal, Regex.Escape(literal.Text));
        }
        else
        {
            AddPattern(pattern["Regex"], pattern["Regex"].Text);
        }
    }

    private void AddByteLevel(NamedJson step)
    {
        step.RequireKnown("type", "add_prefix_space", "trim_offsets", "use_regex");
        step.RequireFalse("add_prefix_space", otherwise: true);
        IsByteLevel = true;
        if (step.FlagOr("use_regex", otherwise: true))
        {
            AddPattern(step, Gpt2Pattern);
        }
    }

    private void AddPattern(NamedJson source, string pattern)
    {
        if (pattern.Any(char.IsSurrogate))
        {
            throw source.Unsupported("a pattern of characters up to U+FFFF is");
        }

        if (pattern.Length > LongestPattern)
        {
            throw source.Unsupported($"a pattern of at most {LongestPattern} characters is");
        }

        try
        {
            _patterns.Add(new Regex(WithLongS(pattern), RegexOptions.CultureInvariant | RegexOptions.Compiled, LongestMatch));
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException(Errors.BadPattern(source.File, source.Path, error.Message));
        }
    }

    // Where case is ignored the reference takes the long s for an s, and .NET does not. Of the letters in Llama 3's and GPT-4's contractions only the s has such a form.
    private static string WithLongS(string pattern) => pattern.Replace("(?i:'s|", "(?i:'[s\u017F]|", StringComparison.Ordinal);
}
