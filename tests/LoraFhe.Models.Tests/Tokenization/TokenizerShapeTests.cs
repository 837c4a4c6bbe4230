using System.Text.Json.Nodes;
using CsCheck;

namespace LoraFhe.Models.Tests;

/// <summary>Shapes of tokenizer.json that other models have.</summary>
public sealed class TokenizerShapeTests
{
    [Fact]
    public void Merges_are_made_in_their_order_and_from_the_left()
    {
        PretrainedTokenizer tokenizer = TokenizerJson.Load(TokenizerJson.Small("b c", "a b", "a a", "aa bc"));
        Assert.Equal("a|bc", tokenizer.Pieces("abc"));
        Assert.Equal("aa|a", tokenizer.Pieces("aaa"));
        Assert.Equal("aabc|aa", tokenizer.Pieces("aabcaa"));
    }

    [Fact]
    public void Merging_agrees_with_the_plain_definition()
    {
        Gen<(string[] Merges, string Text)> gen =
            from merges in Gen.Int[0, 1000].Array[0, 12].Select(MakeMerges)
            from text in Gen.String[Gen.Char['a', 'd'], 0, 30]
            select (merges, text);
        gen.Sample(
            input => Assert.Equal(string.Join('|', MergeReference(input.Text, input.Merges)), TokenizerJson.Load(TokenizerJson.Small(input.Merges)).Pieces(input.Text)),
            iter: 200);
    }

    [Fact]
    public void A_whole_piece_is_a_token_only_where_merges_are_ignored()
    {
        JsonObject json = TokenizerJson.Small("a b");
        json["model"]!["vocab"]!["xyz"] = 500;
        Assert.Equal("x|y|z", TokenizerJson.Load(json).Pieces("xyz"));
        json["model"]!["ignore_merges"] = true;
        Assert.Equal("xyz", TokenizerJson.Load(json).Pieces("xyz"));
        Assert.Equal("x|y|z|ab", TokenizerJson.Load(json).Pieces("xyzab"));
    }

    [Theory]
    [InlineData(true, "a|1|2|3|4|b")]
    [InlineData(false, "a|1234|b")]
    public void Digits_are_cut_off_alone_or_together(bool individual, string expected)
    {
        JsonObject json = TokenizerJson.Small("1 2", "12 3", "123 4", "a 1", "4 b");
        json["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray(
                new JsonObject { ["type"] = "Digits", ["individual_digits"] = individual },
                new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false }),
        };
        Assert.Equal(expected, TokenizerJson.Load(json).Pieces("a1234b"));
    }

    [Fact]
    public void ByteLevel_cuts_as_gpt2_does()
    {
        JsonObject json = TokenizerJson.Small("Ġ a", "Ġ Ġ", "a b", "' s", "b '", "1 2", "b 1");
        json["pre_tokenizer"]!["use_regex"] = true;
        Assert.Equal("ab|'s| a|  | a|b|12", TokenizerJson.Load(json).Pieces("ab's a   ab12"));
    }

    [Fact]
    public void A_literal_pattern_is_cut_out()
    {
        JsonObject json = TokenizerJson.Small("a .", ". b");
        json["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray(
                new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["String"] = "." }, ["behavior"] = "Isolated" },
                new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = false }),
        };
        Assert.Equal("a|.|b|.", TokenizerJson.Load(json).Pieces("a.b."));
    }

    [Fact]
    public void A_letter_above_the_basic_plane_is_a_letter()
    {
        // U+1D400 is a mathematical bold A: its four bytes are spelt out, and the merge joins the letter before to the first of them.
        JsonObject json = TokenizerJson.Small("a ð");
        JsonObject vocabulary = json["model"]!["vocab"]!.AsObject();
        foreach (char c in "ðĿĲĢ")
        {
            vocabulary.TryAdd(c.ToString(), vocabulary.Count);
        }

        json["pre_tokenizer"]!["use_regex"] = true;
        PretrainedTokenizer tokenizer = TokenizerJson.Load(json);
        Assert.Equal("að", SpelledPieces(tokenizer, vocabulary, "a\U0001D400")[0]);
        Assert.Equal("a", SpelledPieces(tokenizer, vocabulary, "a\U0001F400")[0]);
    }

    [Fact]
    public void The_longest_added_token_is_found_first_and_its_id_may_lie_beyond_the_vocabulary()
    {
        JsonObject json = TokenizerJson.Small("a c");
        json["added_tokens"] = new JsonArray(TokenizerJson.Added(300, "<|a|>"), TokenizerJson.Added(301, "<|a|><|b|>"), TokenizerJson.Added(302, "ab", special: false));
        PretrainedTokenizer tokenizer = TokenizerJson.Load(json);
        Assert.Equal([300, 302, 301, 0], tokenizer.Encode("<|a|>ab<|a|><|b|>!"));
        Assert.Equal("ab!", tokenizer.Decode([300, 302, 301, 0]));
        Assert.Equal(303, tokenizer.VocabularySize);
    }

    [Fact]
    public void A_template_may_put_tokens_before_and_after()
    {
        JsonObject json = TokenizerJson.Small("a b");
        json["added_tokens"] = new JsonArray(TokenizerJson.Added(300, "<s>"), TokenizerJson.Added(301, "</s>"));
        json["post_processor"] = JsonNode.Parse("""
            {"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "TemplateProcessing",
             "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
             "special_tokens": {"<s>": {"id": "<s>", "ids": [300], "tokens": ["<s>"]}, "</s>": {"id": "</s>", "ids": [301], "tokens": ["</s>"]}}}]}
            """);
        PretrainedTokenizer tokenizer = TokenizerJson.Load(json, """{"bos_token": {"content": "<s>"}, "eos_token": "</s>", "pad_token": null}""");
        Assert.Equal([300, 0, 301], tokenizer.Encode("!"));
        Assert.Equal([0], tokenizer.Encode("!", addSpecialTokens: false));
        Assert.Equal((300, 301, null), (tokenizer.BosTokenId, tokenizer.EosTokenId, tokenizer.PadTokenId));
    }

    private static string[] SpelledPieces(PretrainedTokenizer tokenizer, JsonObject vocabulary, string text) =>
        [.. tokenizer.Encode(text).Select(id => vocabulary.First(entry => (int)entry.Value! == id).Key)];

    // Each number picks two of the tokens there are by then.
    private static string[] MakeMerges(int[] picks)
    {
        List<string> tokens = ["a", "b", "c", "d"];
        var merges = new List<string>();
        foreach (int pick in picks)
        {
            string merge = $"{tokens[pick % tokens.Count]} {tokens[pick / tokens.Count % tokens.Count]}";
            if (!merges.Contains(merge))
            {
                merges.Add(merge);
                tokens.Add(merge.Replace(" ", "", StringComparison.Ordinal));
            }
        }

        return [.. merges];
    }

    // Byte pair encoding by its definition: again and again, of all neighbors that can merge, the earliest merge's leftmost.
    private static List<string> MergeReference(string text, string[] merges)
    {
        List<string> parts = [.. text.Select(c => c.ToString())];
        while (true)
        {
            (int rank, int at) = Enumerable.Range(0, Math.Max(parts.Count - 1, 0))
                .Select(i => (Rank: Array.IndexOf(merges, $"{parts[i]} {parts[i + 1]}"), At: i)).Where(pair => pair.Rank >= 0).DefaultIfEmpty((-1, -1)).Min();
            if (rank < 0)
            {
                return parts;
            }

            parts[at] += parts[at + 1];
            parts.RemoveAt(at + 1);
        }
    }
}
