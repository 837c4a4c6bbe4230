namespace LoraFhe.Models;

/// <summary>Collects the tokens that are added to a vocabulary, and refuses those that contradict it or each other.</summary>
/// <param name="vocabulary">The vocabulary.</param>
internal sealed class AddedTokens(IReadOnlyDictionary<string, int> vocabulary)
{
    private readonly Dictionary<string, AddedToken> _tokens = new(StringComparer.Ordinal);
    private readonly HashSet<int> _ids = [.. vocabulary.Values];

    /// <summary>The tokens so far.</summary>
    public IReadOnlyCollection<AddedToken> Tokens => _tokens.Values;

    /// <summary>The vocabulary's ids, and those of the tokens so far.</summary>
    public IReadOnlySet<int> Ids => _ids;

    /// <summary>Whether there is such a token.</summary>
    public bool Contains(string content) => _tokens.ContainsKey(content);

    /// <summary>Adds a token as <c>tokenizer.json</c> and <c>tokenizer_config.json</c> describe it.</summary>
    /// <param name="json">The description.</param>
    /// <param name="id">The token's id.</param>
    /// <exception cref="InvalidDataException">It has an option that is not supported, or contradicts the others.</exception>
    public void Add(NamedJson json, int id)
    {
        foreach (string key in (string[])["single_word", "lstrip", "rstrip"])
        {
            json.RequireFalse(key, otherwise: false);
        }

        Add(json.File, new AddedToken(id, json["content"].Text, json.FlagOr("special", otherwise: false), json.FlagOr("normalized", otherwise: true)));
    }

    /// <summary>Adds a token.</summary>
    /// <param name="file">What errors call the file it is from.</param>
    /// <param name="token">The token.</param>
    /// <exception cref="InvalidDataException">It contradicts the others.</exception>
    public void Add(string file, AddedToken token)
    {
        if (token.Content.Length == 0 || !_tokens.TryAdd(token.Content, token))
        {
            throw new InvalidDataException(Errors.DuplicateToken(file, token.Content));
        }

        if (vocabulary.TryGetValue(token.Content, out int id))
        {
            if (id != token.Id)
            {
                throw new InvalidDataException(Errors.AddedTokenId(file, token.Content, token.Id, id));
            }
        }
        else if (!_ids.Add(token.Id))
        {
            throw new InvalidDataException(Errors.DuplicateTokenId(file, token.Id));
        }
    }
}
