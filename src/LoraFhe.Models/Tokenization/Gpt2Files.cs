using System.Globalization;

namespace LoraFhe.Models;

/// <summary>
/// The older form of GPT-2's tokenizer: <c>vocab.json</c> and <c>merges.txt</c>. How a text is cut stands in no file of it; it is GPT-2's way.
/// </summary>
internal static class Gpt2Files
{
    private const string Vocabulary = "vocab.json";
    private const string Merges = "merges.txt";
    private const string Config = "tokenizer_config.json";
    private const string Added = "added_tokens.json";

    // What the Python library's GPT-2 tokenizer takes for each kind of special token that no file names.
    private const string EndOfText = "<|endoftext|>";

    /// <summary>Whether a folder has either file.</summary>
    public static bool AreIn(string folder) => File.Exists(Path.Combine(folder, Vocabulary)) || File.Exists(Path.Combine(folder, Merges));

    /// <summary>The token that begins and ends a text where no file names one.</summary>
    public static string? DefaultSpecialToken(TokenizerDefinition definition) => definition.Model.Vocabulary.ContainsKey(EndOfText) ? EndOfText : null;

    /// <summary>Reads the files.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="names">Its special tokens.</param>
    /// <exception cref="FileNotFoundException">One of the two is missing.</exception>
    /// <exception cref="InvalidDataException">A file is faulty, or the tokenizer is another than GPT-2's; the text names the file and the key.</exception>
    public static TokenizerDefinition Read(string folder, SpecialTokenNames names)
    {
        string vocabulary = PathOf(folder, Vocabulary, other: Merges);
        string merges = PathOf(folder, Merges, other: Vocabulary);
        NamedJson? config = Optional(folder, Config);
        CheckConfig(config);
        BytePairModel model = BytePairModel.Read(NamedJson.ReadFile(vocabulary), merges);
        AddedTokens added = ReadAddedTokens(folder, config, names, model);
        return new TokenizerDefinition(model, added.Tokens, TextNormalizer.None, PreTokenizer.Gpt2, TokenDecoder.ByteLevel, TokenTemplate.Empty);
    }

    private static string PathOf(string folder, string name, string other)
    {
        string path = Path.Combine(folder, name);
        return File.Exists(path) ? path : throw new FileNotFoundException(Errors.NoTokenizerPart(folder, other, name), path);
    }

    private static NamedJson? Optional(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        return File.Exists(path) ? NamedJson.ReadFile(path) : null;
    }

    private static void CheckConfig(NamedJson? file)
    {
        if (file is not { } config)
        {
            return;
        }

        // RoBERTa, CLIP and Qwen have files of the same names and cut a text in other ways.
        if (config.TryGetValue("tokenizer_class", out NamedJson type) && type.Text is not ("GPT2Tokenizer" or "GPT2TokenizerFast"))
        {
            throw type.Unsupported("without a tokenizer.json only 'GPT2Tokenizer' is");
        }

        config.RequireFalse("add_prefix_space", otherwise: false);
        config.RequireFalse("add_bos_token", otherwise: false);
        config.RequireFalse("add_eos_token", otherwise: false);
    }

    private static AddedTokens ReadAddedTokens(string folder, NamedJson? config, SpecialTokenNames names, BytePairModel model)
    {
        var added = new AddedTokens(model.Vocabulary);
        if (config is { } file && file.TryGetValue("added_tokens_decoder", out NamedJson decoder))
        {
            foreach ((string id, NamedJson token) in decoder.Members)
            {
                bool isId = int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < int.MaxValue;
                added.Add(token, isId ? number : throw token.WrongValue("under the id of a token"));
            }
        }

        HashSet<string> special = [.. ((string[])["bos_token", "eos_token", "unk_token"]).Select(key => names.Find(key)?.Token ?? EndOfText)];
        if (names.Find("pad_token") is { } padding)
        {
            special.Add(padding.Token);
        }

        if (Optional(folder, Added) is { } map)
        {
            foreach ((string token, NamedJson id) in map.Members.Where(member => !added.Contains(member.Name)))
            {
                added.Add(Added, new AddedToken(id.TokenId(), token, special.Contains(token), IsNormalized: false));
            }
        }

        foreach (string token in special.Where(token => !added.Contains(token) && model.Vocabulary.ContainsKey(token)))
        {
            added.Add(Vocabulary, new AddedToken(model.Vocabulary[token], token, IsSpecial: true, IsNormalized: false));
        }

        return added;
    }
}
