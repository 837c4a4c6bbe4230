namespace LoraFhe.Models;

/// <summary>The special tokens that go around a text.</summary>
/// <param name="Prefix">Ids before the text's own.</param>
/// <param name="Suffix">Ids after them.</param>
internal sealed record TokenTemplate(IReadOnlyList<int> Prefix, IReadOnlyList<int> Suffix)
{
    private const string Supported = "special tokens around one sequence 'A' are";

    /// <summary>No tokens.</summary>
    public static TokenTemplate Empty { get; } = new([], []);

    /// <summary>Reads the <c>post_processor</c> of a <c>tokenizer.json</c>.</summary>
    /// <param name="json">The value; null adds nothing.</param>
    /// <param name="knownIds">The ids that a token has.</param>
    /// <exception cref="InvalidDataException">It is faulty or not supported; the text names the key.</exception>
    public static TokenTemplate Read(NamedJson json, IReadOnlySet<int> knownIds)
    {
        NamedJson[] templates = json.IsNull ? [] : [.. Templates(json)];
        return templates switch
        {
            [] => Empty,
            [var template] => ReadTemplate(template, knownIds),
            [_, var second, ..] => throw second["type"].Unsupported("one 'TemplateProcessing' is"),
        };
    }

    private static IEnumerable<NamedJson> Templates(NamedJson processor)
    {
        NamedJson type = processor["type"];
        return type.Text switch
        {
            // Changes offsets only, which are not kept here.
            "ByteLevel" => [],
            "Sequence" => processor["processors"].Items.SelectMany(Templates),
            "TemplateProcessing" => [processor],
            _ => throw type.Unsupported("'ByteLevel', 'Sequence' and one 'TemplateProcessing' are"),
        };
    }

    private static TokenTemplate ReadTemplate(NamedJson template, IReadOnlySet<int> knownIds)
    {
        var (prefix, suffix) = (new List<int>(), new List<int>());
        List<int> ids = prefix;
        NamedJson single = template["single"];
        foreach (NamedJson item in single.Items)
        {
            if (item.TryGet("Sequence", out NamedJson sequence) && sequence["id"].Text == "A" && ids == prefix)
            {
                ids = suffix;
            }
            else if (item.TryGet("SpecialToken", out NamedJson special))
            {
                foreach (NamedJson id in template["special_tokens"][special["id"].Text]["ids"].Items)
                {
                    ids.Add(knownIds.Contains(id.Id) ? id.Id : throw id.WrongValue("the id of a token"));
                }
            }
            else
            {
                throw item.Unsupported(Supported);
            }
        }

        return ids == suffix ? new TokenTemplate(prefix, suffix) : throw single.Unsupported(Supported);
    }
}
