using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>A tokenizer's files may come from anyone: whatever they hold, they are read or refused, and a text is encoded or refused.</summary>
public sealed class HostileTokenizerTests
{
    private static readonly string[] Texts = ["", "ab <s>é\U0001F600 12", "\uFFFE\uD800 he", new string('a', 300)];

    private static readonly string[] Values = ["null", "true", "2147483647", "\"x y\"", "\"Sequence\"", "[]", "[[]]", """{"type": "Fuse"}"""];

    public static TheoryData<string> Shapes => ["small", "llama2", "austen"];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Any_value_in_any_place_is_read_or_refused(string shape)
    {
        string text = Shape(shape).ToJsonString();
        int places = Places(JsonNode.Parse(text)!).Count();
        Assert.True(places > 20);
        for (int place = 0; place < places; place++)
        {
            foreach (string value in Values)
            {
                JsonNode json = JsonNode.Parse(text)!;
                (JsonNode parent, object key) = Places(json).ElementAt(place);
                if (key is string name)
                {
                    parent[name] = JsonNode.Parse(value);
                }
                else
                {
                    parent[(int)key] = JsonNode.Parse(value);
                }

                IsReadOrRefused(json.AsObject());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Any_missing_part_is_done_without_or_refused(string shape)
    {
        string text = Shape(shape).ToJsonString();
        int places = Places(JsonNode.Parse(text)!).Count();
        for (int place = 0; place < places; place++)
        {
            JsonNode json = JsonNode.Parse(text)!;
            (JsonNode parent, object key) = Places(json).ElementAt(place);
            if (key is string name)
            {
                parent.AsObject().Remove(name);
            }
            else
            {
                parent.AsArray().RemoveAt((int)key);
            }

            IsReadOrRefused(json.AsObject());
        }
    }

    [Theory]
    [InlineData("""{"model": {"vocab": {"\ud800": 0}}}""", "half a surrogate pair")]
    [InlineData("""{"\udc00": 0}""", "half a surrogate pair")]
    [InlineData("""{"model": {"vocab": {}, "merges": ["\ud800 a"]}}""", "'model.merges[0]' is not a string")]
    [InlineData("""{"model": {"vocab": {"a": 0, "a": 1}, "merges": []}}""", "the token 'a' appears twice")]
    [InlineData("""{"model": {"vocab": {"a": 0, "aa": 1}, "merges": ["a b"]}}""", "'model.merges[0]' must join two tokens")]
    [InlineData("", "not valid JSON")]
    [InlineData("\"\\ud800\"", "the file is not an object")]
    public void What_is_wrong_is_named(string json, string expected)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", json);
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => PretrainedTokenizer.FromPretrained(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type": "Sequence", "pretokenizers": [""", "]}")]
    [InlineData("[", "]")]
    public void Deep_nesting_is_refused(string open, string close)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", $$"""{"pre_tokenizer": {{string.Concat(Enumerable.Repeat(open, 20_000))}}{{string.Concat(Enumerable.Repeat(close, 20_000))}}}""");
        Assert.Throws<InvalidDataException>(() => PretrainedTokenizer.FromPretrained(folder.Path));
    }

    [Theory]
    [InlineData(3000)]
    [InlineData(1900)]
    public void A_long_pattern_is_refused_or_runs(int length)
    {
        JsonObject json = TokenizerJson.TinyAusten();
        json["pre_tokenizer"]!["pretokenizers"]![0]!["pattern"]!["Regex"] = new string('(', length / 2) + "a" + new string(')', length / 2);
        IsReadOrRefused(json);
        if (length > 2000)
        {
            Assert.Contains("at most 2000 characters", Assert.Throws<InvalidDataException>(() => TokenizerJson.Load(json)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_pattern_that_never_ends_is_refused_without_the_text()
    {
        var splitter = new TextSplitter([new Regex("(a+)+$", RegexOptions.None, TimeSpan.FromMilliseconds(20))]);
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => splitter.Split(new string('a', 40) + "b"));
        Assert.Contains("the pattern '(a+)+$'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("aaaa", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_pattern_has_a_time_in_which_it_must_match()
    {
        PreTokenizer read = PreTokenizer.Read(NamedJson.Parse(
            """{"type": "Sequence", "pretokenizers": [{"type": "Digits"}, {"type": "Split", "pattern": {"Regex": "a"}, "behavior": "Isolated"}, {"type": "ByteLevel", "add_prefix_space": false}]}"""u8.ToArray(), "x"));
        Assert.Equal(3, read.Patterns.Count);
        Assert.All([.. read.Patterns, .. PreTokenizer.Gpt2.Patterns], pattern => Assert.NotEqual(Regex.InfiniteMatchTimeout, pattern.MatchTimeout));
    }

    [Theory]
    [InlineData("normalizer", "normalizers")]
    [InlineData("decoder", "decoders")]
    public void Steps_that_make_a_text_grow_without_measure_are_refused(string part, string steps)
    {
        JsonObject json = TokenizerJson.Llama2();
        json[part] = new JsonObject
        {
            ["type"] = "Sequence",
            [steps] = new JsonArray([.. Enumerable.Range(0, 60).Select(_ => JsonNode.Parse("""{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}"""))]),
        };
        string message = Assert.Throws<InvalidDataException>(() => TokenizerJson.Load(json)).Message;
        Assert.Contains($"'{part}.{steps}[4]'", message, StringComparison.Ordinal);
        Assert.Contains("at most 16 times longer", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_merge_of_nothing_with_a_token_is_never_made()
    {
        JsonObject json = TokenizerJson.Llama2();
        json["model"]!["vocab"]![""] = 500;
        json["model"]!["merges"] = JsonNode.Parse("""[["", "a"], ["a", ""], ["", ""]]""");
        Assert.Equal([259, 260, 260], TokenizerJson.Load(json).Encode("aa", addSpecialTokens: false));
    }

    [Fact]
    public void A_token_that_takes_text_before_it_away_ends_no_stream()
    {
        JsonObject json = TokenizerJson.Llama2();
        json["decoder"] = JsonNode.Parse("""
            {"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Replace", "pattern": {"String": "ab"}, "content": ""}]}
            """);
        var pieces = new List<string>();
        var stream = new TextStream(TokenizerJson.Load(json), pieces.Add);
        foreach (int id in (int[])[260, 261, 262])
        {
            stream.Add(id);
        }

        stream.End();
        Assert.Equal(["a"], pieces);
    }

    [Fact]
    public void Thousands_of_added_tokens_that_begin_alike_are_told_apart()
    {
        JsonObject json = TokenizerJson.Llama2();
        JsonArray added = json["added_tokens"]!.AsArray();
        for (int i = 0; i < 4000; i++)
        {
            added.Add(TokenizerJson.Added(1000 + i, "<" + new string('x', i + 1)));
        }

        PretrainedTokenizer tokenizer = TokenizerJson.Load(json);
        Assert.Equal([1, 4999, 259, 283, 1004, 1001], tokenizer.Encode("<" + new string('x', 4000) + "x<xxxxx<xx"));
    }

    private static JsonObject Shape(string shape)
    {
        JsonObject json = shape switch
        {
            "small" => TokenizerJson.Small(),
            "llama2" => TokenizerJson.Llama2(),
            _ => TokenizerJson.TinyAusten(),
        };

        // A vocabulary's thousand entries are alike: a few will do.
        var vocabulary = new JsonObject();
        foreach (string token in (string[])["<unk>", "<s>", "</s>", "<|begin_of_text|>", "<|end_of_text|>", "<0x61>", "a", "b", "ab"])
        {
            vocabulary[token] = vocabulary.Count;
        }

        json["model"]!["vocab"] = vocabulary;
        json["model"]!["merges"] = new JsonArray("a b", new JsonArray("a", "b"));
        json["added_tokens"] = new JsonArray(TokenizerJson.Added(0, "<unk>"), TokenizerJson.Added(1, "<s>"), TokenizerJson.Added(3, "<|begin_of_text|>"));
        if (shape == "austen")
        {
            // What it is does not matter, and the real one takes long to compile.
            json["pre_tokenizer"]!["pretokenizers"]![0]!["pattern"]!["Regex"] = " ";
            json["post_processor"]!["special_tokens"]!["<|begin_of_text|>"]!["ids"]![0] = 3;
        }

        TokenizerJson.Load(json.DeepClone().AsObject());
        return json;
    }

    // Every value below a node, by where it stands.
    private static IEnumerable<(JsonNode Parent, object Key)> Places(JsonNode node) => node switch
    {
        JsonObject entries => entries.ToArray().SelectMany(entry => Below(node, entry.Key, entry.Value)),
        JsonArray items => items.ToArray().SelectMany((item, index) => Below(node, index, item)),
        _ => [],
    };

    private static IEnumerable<(JsonNode Parent, object Key)> Below(JsonNode parent, object key, JsonNode? value) =>
        [(parent, key), .. value is null ? [] : Places(value)];

    private static void IsReadOrRefused(JsonObject json)
    {
        PretrainedTokenizer tokenizer;
        try
        {
            tokenizer = TokenizerJson.Load(json);
        }
        catch (InvalidDataException error)
        {
            Assert.StartsWith("tokenizer.json: ", error.Message, StringComparison.Ordinal);
            return;
        }

        foreach (string text in Texts)
        {
            IReadOnlyList<int> ids = tokenizer.Encode(text);
            Assert.All(ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
            tokenizer.Decode(ids, skipSpecialTokens: false);
        }
    }
}
