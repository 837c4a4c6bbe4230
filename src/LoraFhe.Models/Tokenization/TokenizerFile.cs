using System.Text.RegularExpressions;

namespace LoraFhe.Models;

/// <summary>What a byte-level BPE <c>tokenizer.json</c> says, checked; whatever changes ids and is not known here is refused by its key.</summary>
internal sealed class TokenizerFile
{
    // How GPT-2 cuts a text; the ByteLevel pre-tokenizer does so itself unless use_regex is false.
    private const string Gpt2Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private readonly List<AddedToken> _addedTokens = [];
    private readonly List<Regex> _patterns = [];
    private readonly List<int> _prefix = [];
    private readonly List<int> _suffix = [];
    private readonly Dictionary<string, int> _vocabulary = new(StringComparer.Ordinal);
    private readonly List<string> _merges = [];

    private TokenizerFile(NamedJson root)
    {
        ReadModel(root["model"]);
        ReadAddedTokens(root);
        if (root.TryGetValue("normalizer", out NamedJson normalizer))
        {
            throw normalizer.Unsupported("a byte-level tokenizer has null");
        }

        ReadPreTokenizer(root["pre_tokenizer"]);
        ReadDecoder(root["decoder"]);
        if (root.TryGetValue("post_processor", out NamedJson postProcessor))
        {
            ReadPostProcessor(postProcessor);
        }
    }

    /// <summary>Tokens that are found before the text is cut.</summary>
    public IReadOnlyList<AddedToken> AddedTokens => _addedTokens;

    /// <summary>The patterns that cut a text, in the order they are applied.</summary>
    public IReadOnlyList<Regex> Patterns => _patterns;

    /// <summary>Ids that go before a text's own.</summary>
    public IReadOnlyList<int> Prefix => _prefix;

    /// <summary>Ids that go after a text's own.</summary>
    public IReadOnlyList<int> Suffix => _suffix;

    /// <summary>Ids by the byte alphabet's spelling.</summary>
    public IReadOnlyDictionary<string, int> Vocabulary => _vocabulary;

    /// <summary>Pairs to join, the first first, their two tokens separated by a space.</summary>
    public IReadOnlyList<string> Merges => _merges;

    /// <summary>Whether a piece that is a token as it stands is taken without merging.</summary>
    public bool IgnoreMerges { get; private set; }

    /// <summary>Reads and checks a file.</summary>
    /// <param name="path">The path of a <c>tokenizer.json</c>.</param>
    /// <exception cref="InvalidDataException">The file is faulty, or needs what is not supported; the text names the key.</exception>
    public static TokenizerFile Read(string path) => new(NamedJson.ReadFile(path));

    private void ReadModel(NamedJson model)
    {
        Require(model, "type", "BPE");
        foreach (string key in (string[])["dropout", "unk_token"])
        {
            if (model.TryGetValue(key, out NamedJson value))
            {
                throw value.Unsupported("a byte-level tokenizer has null");
            }
        }

        foreach (string key in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (model.TryGetValue(key, out NamedJson value) && value.Text.Length > 0)
            {
                throw value.Unsupported("a byte-level tokenizer has null");
            }
        }

        if (model.FlagOr("byte_fallback", otherwise: false))
        {
            throw model["byte_fallback"].Unsupported("a byte-level tokenizer has false");
        }

        IgnoreMerges = model.FlagOr("ignore_merges", otherwise: false);
        var ids = new HashSet<int>();
        foreach ((string token, NamedJson id) in model["vocab"].Members)
        {
            if (!_vocabulary.TryAdd(token, id.Id))
            {
                throw new InvalidDataException(Errors.DuplicateToken(id.File, token));
            }

            if (!ids.Add(id.Id))
            {
                throw new InvalidDataException(Errors.DuplicateTokenId(id.File, id.Id));
            }
        }

        foreach (NamedJson merge in model["merges"].Items)
        {
            string[] pair = merge.IsText ? merge.Text.Split(' ') : [.. merge.Items.Select(item => item.Text)];
            if (pair.Length != 2 || pair.Any(token => token.Contains(' ', StringComparison.Ordinal) || !_vocabulary.ContainsKey(token))
                || !_vocabulary.ContainsKey(pair[0] + pair[1]))
            {
                throw new InvalidDataException(Errors.BadMerge(merge.File, _merges.Count));
            }

            _merges.Add($"{pair[0]} {pair[1]}");
        }
    }

    private void ReadAddedTokens(NamedJson root)
    {
        if (!root.TryGetValue("added_tokens", out NamedJson added))
        {
            return;
        }

        HashSet<int> ids = [.. _vocabulary.Values];
        foreach (NamedJson item in added.Items)
        {
            foreach (string key in (string[])["single_word", "lstrip", "rstrip"])
            {
                if (item.FlagOr(key, otherwise: false))
                {
                    throw item[key].Unsupported("only false is");
                }
            }

            var token = new AddedToken(
                item["id"].Id, item["content"].Text, item.FlagOr("special", otherwise: false), item.FlagOr("normalized", otherwise: true));
            if (token.Content.Length == 0 || _addedTokens.Exists(other => other.Content == token.Content))
            {
                throw new InvalidDataException(Errors.DuplicateToken(item.File, token.Content));
            }

            if (_vocabulary.TryGetValue(token.Content, out int id) && id != token.Id)
            {
                throw new InvalidDataException(Errors.AddedTokenId(item.File, token.Content, token.Id, id));
            }

            if (!_vocabulary.ContainsKey(token.Content) && !ids.Add(token.Id))
            {
                throw new InvalidDataException(Errors.DuplicateTokenId(item.File, token.Id));
            }

            _addedTokens.Add(token);
        }
    }

    private void ReadPreTokenizer(NamedJson preTokenizer)
    {
        NamedJson[] steps = !preTokenizer.IsNull && preTokenizer["type"].Text == "Sequence"
            ? [.. preTokenizer["pretokenizers"].Items]
            : [preTokenizer];
        if (steps.Length == 0)
        {
            throw preTokenizer.Unsupported("'ByteLevel' must end it");
        }

        foreach (NamedJson step in steps[..^1])
        {
            ReadSplit(step);
        }

        // The last must be ByteLevel: it is what makes the vocabulary one of bytes.
        NamedJson last = steps[^1];
        Require(last, "type", "ByteLevel");
        if (last.FlagOr("add_prefix_space", otherwise: true))
        {
            NamedJson named = last["add_prefix_space"];
            throw named.Unsupported("only false is");
        }

        if (last.FlagOr("use_regex", otherwise: true))
        {
            _patterns.Add(Pattern(last, Gpt2Pattern));
        }
    }

    private void ReadSplit(NamedJson step)
    {
        NamedJson type = step["type"];
        switch (type.Text)
        {
            case "Split":
                Require(step, "behavior", "Isolated");
                if (step.FlagOr("invert", otherwise: false))
                {
                    throw step["invert"].Unsupported("only false is");
                }

                NamedJson pattern = step["pattern"];
                _patterns.Add(pattern.TryGet("String", out NamedJson literal)
                    ? Pattern(literal, Regex.Escape(literal.Text))
                    : Pattern(pattern["Regex"], pattern["Regex"].Text));
                break;
            case "Digits":
                _patterns.Add(Pattern(step, step.FlagOr("individual_digits", otherwise: false) ? @"\p{N}" : @"\p{N}+"));
                break;
            default:
                throw type.Unsupported("'Split' and 'Digits' are, and 'ByteLevel' at the end");
        }
    }

    private void ReadPostProcessor(NamedJson processor)
    {
        NamedJson type = processor["type"];
        switch (type.Text)
        {
            case "ByteLevel":
                // Changes offsets only, which are not kept here.
                break;
            case "Sequence":
                foreach (NamedJson step in processor["processors"].Items)
                {
                    ReadPostProcessor(step);
                }

                break;
            case "TemplateProcessing" when _prefix.Count + _suffix.Count == 0:
                ReadTemplate(processor);
                break;
            default:
                throw type.Unsupported("'ByteLevel', 'Sequence' and one 'TemplateProcessing' are");
        }
    }

    private void ReadTemplate(NamedJson template)
    {
        List<int> ids = _prefix;
        NamedJson single = template["single"];
        foreach (NamedJson item in single.Items)
        {
            if (item.TryGet("Sequence", out NamedJson sequence) && sequence["id"].Text == "A" && ids == _prefix)
            {
                ids = _suffix;
            }
            else if (item.TryGet("SpecialToken", out NamedJson special))
            {
                ids.AddRange(template["special_tokens"][special["id"].Text]["ids"].Items.Select(id => id.Id));
            }
            else
            {
                throw item.Unsupported("special tokens around one sequence 'A' are");
            }
        }

        if (ids == _prefix)
        {
            throw single.Unsupported("special tokens around one sequence 'A' are");
        }
    }

    private static void ReadDecoder(NamedJson decoder) => Require(decoder, "type", "ByteLevel");

    private static void Require(NamedJson json, string key, string expected)
    {
        if (json.IsNull)
        {
            throw json.Unsupported($"only '{expected}' is");
        }

        if (json[key].Text != expected)
        {
            throw json[key].Unsupported($"only '{expected}' is");
        }
    }

    private static Regex Pattern(NamedJson source, string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.Compiled);
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException(Errors.BadPattern(source.File, source.Path, error.Message));
        }
    }
}
