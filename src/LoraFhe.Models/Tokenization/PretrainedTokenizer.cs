using System.Text;
using Microsoft.ML.Tokenizers;

namespace LoraFhe.Models;

/// <summary>
/// The tokenizer of a Hugging Face folder: byte-level BPE as <c>tokenizer.json</c> describes it, with the ids that the Python library gives.
/// </summary>
/// <remarks>
/// Supported are the pre-tokenizers Split (Isolated), Digits and ByteLevel, added tokens, <c>ignore_merges</c>, the post-processors ByteLevel
/// and TemplateProcessing, and the decoder ByteLevel; anything else is refused by its key rather than passed over. Cutting, added tokens and
/// decoding are done here, the merging of a piece by Microsoft.ML.Tokenizers. Thread-safe.
/// </remarks>
public sealed class PretrainedTokenizer
{
    private const string FileName = "tokenizer.json";

    private readonly TokenizerFile _file;
    private readonly AddedTokenFinder _addedTokens;
    private readonly TextSplitter _splitter;
    private readonly BpeTokenizer _merger;
    private readonly Dictionary<int, string> _tokens = [];
    private readonly HashSet<int> _specialIds;

    private PretrainedTokenizer(TokenizerFile file)
    {
        _file = file;
        _addedTokens = new AddedTokenFinder(file.AddedTokens);
        _splitter = new TextSplitter(file.Patterns);
        _merger = BpeTokenizer.Create(new BpeOptions(file.Vocabulary) { Merges = file.Merges });
        _specialIds = [.. file.AddedTokens.Where(token => token.IsSpecial).Select(token => token.Id)];
        foreach ((string token, int id) in file.Vocabulary)
        {
            _tokens[id] = token;
        }

        foreach (AddedToken token in file.AddedTokens)
        {
            _tokens[token.Id] = token.Content;
        }

        VocabularySize = _tokens.Keys.DefaultIfEmpty(-1).Max() + 1;
    }

    /// <summary>The id of the token that begins a text; null if the folder names none.</summary>
    public int? BosTokenId { get; private init; }

    /// <summary>The id of the token that ends a text; null if the folder names none.</summary>
    public int? EosTokenId { get; private init; }

    /// <summary>The id of the token that fills short rows of a batch; null if the folder names none.</summary>
    public int? PadTokenId { get; private init; }

    /// <summary>The highest id plus one, added tokens included: what a model's embedding must have at least.</summary>
    public int VocabularySize { get; }

    /// <summary>
    /// Reads <c>tokenizer.json</c>, and the names of the special tokens from <c>tokenizer_config.json</c> or <c>special_tokens_map.json</c>.
    /// </summary>
    /// <param name="folder">A Hugging Face model folder.</param>
    /// <exception cref="FileNotFoundException">The folder has no <c>tokenizer.json</c>.</exception>
    /// <exception cref="InvalidDataException">A file is faulty, or needs what is not supported; the text names the file and the key.</exception>
    public static PretrainedTokenizer FromPretrained(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new FileNotFoundException(Errors.NoTokenizer(folder), path);
        }

        TokenizerFile file = TokenizerFile.Read(path);
        return new PretrainedTokenizer(file)
        {
            BosTokenId = SpecialId(folder, "bos_token", file),
            EosTokenId = SpecialId(folder, "eos_token", file),
            PadTokenId = SpecialId(folder, "pad_token", file),
        };
    }

    /// <summary>Turns a text into ids. Added tokens that the text spells out become their own ids.</summary>
    /// <param name="text">The text; half a surrogate pair counts as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether the post-processor's tokens, such as the one that begins a text, are added.</param>
    /// <returns>The ids, each from 0 to below <see cref="VocabularySize"/>.</returns>
    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        if (addSpecialTokens)
        {
            ids.AddRange(_file.Prefix);
        }

        foreach ((int? id, string part) in _addedTokens.Split(text))
        {
            if (id is { } added)
            {
                ids.Add(added);
                continue;
            }

            foreach (Range piece in _splitter.Split(part))
            {
                EncodePiece(ByteAlphabet.Spell(part.AsSpan()[piece]), ids);
            }
        }

        if (addSpecialTokens)
        {
            ids.AddRange(_file.Suffix);
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
        var bytes = new List<byte>();
        foreach (int id in ids)
        {
            if (_tokens.TryGetValue(id, out string? token) && !(skipSpecialTokens && _specialIds.Contains(id)))
            {
                ByteAlphabet.AppendBytes(token, bytes);
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    /// <summary>The id of an added token, or of a vocabulary's token in the byte alphabet's spelling; null if there is none.</summary>
    /// <param name="token">The token, for example <c>&lt;|end_of_text|&gt;</c> or <c>Ġthe</c>.</param>
    public int? TokenToId(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return TokenToId(token, _file);
    }

    private void EncodePiece(string piece, List<int> ids)
    {
        if (_file.IgnoreMerges && _file.Vocabulary.TryGetValue(piece, out int whole))
        {
            ids.Add(whole);
        }
        else
        {
            ids.AddRange(_merger.EncodeToIds(piece, considerPreTokenization: false, considerNormalization: false));
        }
    }

    private static int? SpecialId(string folder, string key, TokenizerFile file)
    {
        foreach (string name in (string[])["tokenizer_config.json", "special_tokens_map.json"])
        {
            string path = Path.Combine(folder, name);
            if (File.Exists(path) && NamedJson.ReadFile(path).TryGetValue(key, out NamedJson value))
            {
                string token = value.IsObject ? value["content"].Text : value.Text;
                return TokenToId(token, file) ?? throw new InvalidDataException(Errors.UnknownSpecialToken(name, key, token));
            }
        }

        return null;
    }

    private static int? TokenToId(string token, TokenizerFile file) =>
        file.AddedTokens.FirstOrDefault(added => added.Content == token)?.Id
        ?? (file.Vocabulary.TryGetValue(token, out int id) ? id : null);
}
