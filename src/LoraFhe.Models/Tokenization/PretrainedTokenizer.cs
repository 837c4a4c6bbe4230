using System.Text;

namespace LoraFhe.Models;

/// <summary>
/// The tokenizer of a Hugging Face folder, with the ids that the Python library gives: byte pair encoding as <c>tokenizer.json</c> describes it, or GPT-2's older
/// <c>vocab.json</c> and <c>merges.txt</c>.
/// </summary>
/// <remarks>
/// Of <c>tokenizer.json</c> supported are: the model BPE with <c>unk_token</c>, <c>fuse_unk</c>, <c>byte_fallback</c> and <c>ignore_merges</c>; the normalizers NFC, Replace (of a
/// String) and Prepend; the pre-tokenizers Split (Isolated), Digits and ByteLevel (at the end); added tokens; the post-processors ByteLevel and TemplateProcessing; the decoders
/// ByteLevel, or Replace, ByteFallback, Fuse and Strip; each in a Sequence or alone. Anything else is refused by its key rather than passed over. That serves GPT-2, Llama 2 and 3,
/// SmolLM2 and their like. Thread-safe.
/// </remarks>
public sealed partial class PretrainedTokenizer
{
    private const string FileName = "tokenizer.json";

    private readonly TokenizerDefinition _definition;
    private readonly AddedTokenFinder _addedTokens;
    private readonly Dictionary<int, string> _tokens = [];
    private readonly Dictionary<string, int> _addedIds;
    private readonly HashSet<int> _specialIds;

    private PretrainedTokenizer(TokenizerDefinition definition, SpecialTokenNames names, string? defaultName)
    {
        _definition = definition;
        _addedTokens = new AddedTokenFinder(definition.AddedTokens);
        _addedIds = definition.AddedTokens.ToDictionary(token => token.Content, token => token.Id, StringComparer.Ordinal);
        _specialIds = [.. definition.AddedTokens.Where(token => token.IsSpecial).Select(token => token.Id)];
        foreach ((string token, int id) in definition.Model.Vocabulary)
        {
            _tokens[id] = token;
        }

        foreach (AddedToken token in definition.AddedTokens)
        {
            _tokens[token.Id] = token.Content;
        }

        VocabularySize = _tokens.Keys.DefaultIfEmpty(-1).Max() + 1;
        BosTokenId = SpecialId(names, "bos_token", defaultName);
        EosTokenId = SpecialId(names, "eos_token", defaultName);
        PadTokenId = SpecialId(names, "pad_token", otherwise: null);
        names.CheckAdded("add_bos_token", definition.Template.Prefix, BosTokenId);
        names.CheckAdded("add_eos_token", definition.Template.Suffix, EosTokenId);
        _chatTemplate = ReadChatTemplate(names.Folder);
    }

    /// <summary>The id of the token that begins a text; null if the folder names none.</summary>
    public int? BosTokenId { get; }

    /// <summary>The id of the token that ends a text; null if the folder names none.</summary>
    public int? EosTokenId { get; }

    /// <summary>The id of the token that fills short rows of a batch; null if the folder names none.</summary>
    public int? PadTokenId { get; }

    /// <summary>The highest id plus one, added tokens included: what a model's embedding must have at least.</summary>
    public int VocabularySize { get; }

    /// <summary>
    /// Reads <c>tokenizer.json</c>, or where there is none GPT-2's <c>vocab.json</c> and <c>merges.txt</c>, and the names of the special tokens from
    /// <c>tokenizer_config.json</c> or <c>special_tokens_map.json</c>.
    /// </summary>
    /// <param name="folder">A Hugging Face model folder.</param>
    /// <exception cref="FileNotFoundException">The folder has no tokenizer.</exception>
    /// <exception cref="InvalidDataException">A file is faulty, or needs what is not supported; the text names the file and the key.</exception>
    public static PretrainedTokenizer FromPretrained(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string path = Path.Combine(folder, FileName);
        var names = new SpecialTokenNames(folder);
        if (File.Exists(path))
        {
            return new PretrainedTokenizer(TokenizerDefinition.Read(path), names, defaultName: null);
        }

        if (!Gpt2Files.AreIn(folder))
        {
            throw new FileNotFoundException(Errors.NoTokenizer(folder), path);
        }

        TokenizerDefinition gpt2 = Gpt2Files.Read(folder, names);
        return new PretrainedTokenizer(gpt2, names, Gpt2Files.DefaultSpecialToken(gpt2));
    }

    /// <summary>Turns a text into ids. Added tokens that the text spells out become their own ids.</summary>
    /// <param name="text">The text; half a surrogate pair counts as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether the post-processor's tokens, such as the one that begins a text, are added.</param>
    /// <returns>The ids, each from 0 to below <see cref="VocabularySize"/>.</returns>
    /// <exception cref="InvalidDataException">The file's pattern cannot be matched against this text in any time.</exception>
    /// <exception cref="PlatformNotSupportedException">The file normalizes to NFC, the text has characters that this may change, and .NET runs without ICU.</exception>
    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        if (addSpecialTokens)
        {
            ids.AddRange(_definition.Template.Prefix);
        }

        foreach ((int? id, string part) in _addedTokens.Split(WellFormed(text)))
        {
            if (id is { } added)
            {
                ids.Add(added);
                continue;
            }

            foreach (string piece in _definition.PreTokenizer.Split(_definition.Normalizer.Normalize(part)))
            {
                _definition.Model.Encode(piece, ids);
            }
        }

        if (addSpecialTokens)
        {
            ids.AddRange(_definition.Template.Suffix);
        }

        return ids;
    }

    /// <summary>Turns ids into a text. Bytes that are not UTF-8 become U+FFFD; an id that no token has stands for nothing.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="skipSpecialTokens">Whether special tokens are left out.</param>
    /// <remarks>Spaces before punctuation are kept, whatever <c>clean_up_tokenization_spaces</c> says.</remarks>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var tokens = new List<string>();
        foreach (int id in ids)
        {
            if (_tokens.TryGetValue(id, out string? token) && !(skipSpecialTokens && _specialIds.Contains(id)))
            {
                tokens.Add(token);
            }
        }

        return _definition.Decoder.Decode(tokens);
    }

    /// <summary>The id of an added token, or of a vocabulary's token in the byte alphabet's spelling; null if there is none.</summary>
    /// <param name="token">The token, for example <c>&lt;|end_of_text|&gt;</c> or <c>Ġthe</c>.</param>
    public int? TokenToId(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return _addedIds.TryGetValue(token, out int id) || _definition.Model.Vocabulary.TryGetValue(token, out id) ? id : null;
    }

    private static string WellFormed(string text) =>
        text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) : text;

    private int? SpecialId(SpecialTokenNames names, string key, string? otherwise) => names.Find(key) is { } found
        ? TokenToId(found.Token) ?? throw new InvalidDataException(Errors.UnknownSpecialToken(found.Source.File, key, found.Token))
        : otherwise is null ? null : TokenToId(otherwise);
}
