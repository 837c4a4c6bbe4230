namespace LoraFhe.Models;

/// <summary>What a tokenizer's files say, checked; whatever changes ids and is not known here is refused by its key.</summary>
/// <param name="Model">The vocabulary and its merges.</param>
/// <param name="AddedTokens">Tokens that are found before the text is normalized and cut.</param>
/// <param name="Normalizer">What is done to the text between them.</param>
/// <param name="PreTokenizer">What cuts it.</param>
/// <param name="Decoder">What makes a text of tokens.</param>
/// <param name="Template">What goes around a text.</param>
internal sealed record TokenizerDefinition(
    BytePairModel Model,
    IReadOnlyCollection<AddedToken> AddedTokens,
    TextNormalizer Normalizer,
    PreTokenizer PreTokenizer,
    TokenDecoder Decoder,
    TokenTemplate Template)
{
    /// <summary>Reads a <c>tokenizer.json</c>.</summary>
    /// <param name="path">Its path.</param>
    /// <exception cref="InvalidDataException">The file is faulty, or needs what is not supported; the text names the key.</exception>
    public static TokenizerDefinition Read(string path)
    {
        NamedJson root = NamedJson.ReadFile(path);

        // The Python library sets truncation and padding anew with every call.
        root.RequireKnown("version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model");
        BytePairModel model = BytePairModel.Read(root["model"]);
        TextNormalizer normalizer = TextNormalizer.Read(root.OrNull("normalizer"));
        AddedTokens added = ReadAddedTokens(root.OrNull("added_tokens"), model, normalizer);
        PreTokenizer preTokenizer = PreTokenizer.Read(root["pre_tokenizer"]);
        return new TokenizerDefinition(
            model,
            added.Tokens,
            normalizer,
            preTokenizer,
            TokenDecoder.Read(root["decoder"], preTokenizer.IsByteLevel),
            TokenTemplate.Read(root.OrNull("post_processor"), added.Ids));
    }

    private static AddedTokens ReadAddedTokens(NamedJson list, BytePairModel model, TextNormalizer normalizer)
    {
        var added = new AddedTokens(model.Vocabulary);
        foreach (NamedJson item in list.IsNull ? [] : list.Items)
        {
            // Such a token would be looked for in the normalized text, itself normalized.
            if (!normalizer.IsIdentity)
            {
                item.RequireFalse("normalized", otherwise: true);
            }

            added.Add(item, item["id"].TokenId());
        }

        return added;
    }
}
