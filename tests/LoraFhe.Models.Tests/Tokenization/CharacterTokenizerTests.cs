using System.Text.Json.Nodes;

namespace LoraFhe.Models.Tests;

/// <summary>Tokenizers whose vocabulary is one of characters: unknown ones, byte fallback, normalizers and decoders. What is expected is what Hugging Face's tokenizers 0.23.2 gives.</summary>
public sealed class CharacterTokenizerTests
{
    private static readonly PretrainedTokenizer Llama2 = TokenizerJson.Load(
        TokenizerJson.Llama2("h e", "\u2581 he", "<0x61> <0x62>"), """{"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<unk>"}""");

    [Fact]
    public void A_text_begins_with_a_space_that_decoding_takes_away()
    {
        Assert.Equal([1, 287, 287], Llama2.Encode("he he"));
        Assert.Equal([287, 287], Llama2.Encode("he he", addSpecialTokens: false));
        Assert.Equal("he he", Llama2.Decode([287, 287]));
        Assert.Equal([], Llama2.Encode("", addSpecialTokens: false));
        Assert.Equal([1], Llama2.Encode(""));
    }

    [Fact]
    public void Only_one_space_is_taken_away_and_each_part_between_special_tokens_gets_one()
    {
        Assert.Equal([259, 259, 287], Llama2.Encode("  he", addSpecialTokens: false));
        Assert.Equal("  he", Llama2.Decode([259, 259, 287]));
        Assert.Equal([287, 2, 287], Llama2.Encode("he</s>he", addSpecialTokens: false));
        Assert.Equal("he he", Llama2.Decode([287, 2, 287]));
        Assert.Equal("he</s> he", Llama2.Decode([287, 2, 287], skipSpecialTokens: false));
    }

    [Fact]
    public void A_character_that_is_no_token_is_spelt_in_bytes()
    {
        Assert.Equal([259, 3 + 0xC3, 3 + 0xA9, 3 + 0x0A], Llama2.Encode("é\n", addSpecialTokens: false));
        Assert.Equal("é\n", Llama2.Decode([259, 3 + 0xC3, 3 + 0xA9, 3 + 0x0A]));
        Assert.Equal([259, 3 + 0xF0, 3 + 0x9F, 3 + 0x98, 3 + 0x80], Llama2.Encode("\U0001F600", addSpecialTokens: false));
        Assert.Equal(Llama2.Encode("\uFFFD"), Llama2.Encode("\uD83D"));
    }

    [Fact]
    public void Bytes_that_are_not_utf8_become_a_replacement_character_each()
    {
        Assert.Equal("a\uFFFD\uFFFDb", Llama2.Decode([260, 3 + 0xE2, 3 + 0x82, 261]));
        Assert.Equal("\uFFFD\uFFFD", Llama2.Decode([3 + 0x41, 3 + 0xFF]));
    }

    [Fact]
    public void Text_that_spells_a_byte_token_is_text()
    {
        Assert.Equal("<0x41>", Llama2.Decode(Llama2.Encode("<0x41>")));
        Assert.DoesNotContain(3 + 0x41, Llama2.Encode("<0x41>"));
    }

    [Fact]
    public void A_missing_byte_makes_the_whole_character_unknown()
    {
        JsonObject json = TokenizerJson.Llama2();
        json["model"]!["vocab"]!.AsObject().Remove("<0xA9>");
        PretrainedTokenizer tokenizer = TokenizerJson.Load(json);
        Assert.Equal([259, 0, 260], tokenizer.Encode("éa", addSpecialTokens: false));

        // The reference writes an unknown character when the next known one comes, so bytes overtake it.
        Assert.Equal([259, 3 + 0xC3, 3 + 0xA8, 0, 260], tokenizer.Encode("éèa", addSpecialTokens: false));
    }

    [Theory]
    [InlineData(true, "\u2581 <unk> a <unk>")]
    [InlineData(false, "\u2581 <unk> <unk> a <unk>")]
    public void Unknown_characters_in_a_row_are_one_token_only_where_they_are_fused(bool fuse, string expected)
    {
        JsonObject json = TokenizerJson.Llama2();
        json["model"]!["byte_fallback"] = false;
        json["model"]!["fuse_unk"] = fuse;
        Assert.Equal(expected, Spelled(json, "éèa\U0001F600"));
    }

    [Fact]
    public void Without_an_unknown_token_such_a_character_is_left_out_and_its_neighbors_merge()
    {
        JsonObject json = TokenizerJson.Llama2("h e");
        json["model"]!["byte_fallback"] = false;
        json["model"]!["unk_token"] = null;
        Assert.Equal("\u2581 he", Spelled(json, "héèe"));
    }

    [Fact]
    public void An_unknown_token_is_a_symbol_that_merges()
    {
        JsonObject json = TokenizerJson.Llama2("<unk> a");
        json["model"]!["byte_fallback"] = false;
        Assert.Equal("\u2581 <unk>a", Spelled(json, "éa"));
    }

    // Merging that is quadratic in the length of a piece would take minutes.
    [Fact]
    public void A_piece_of_a_million_characters_is_merged()
    {
        PretrainedTokenizer tokenizer = TokenizerJson.Load(TokenizerJson.Llama2("a a", "aa aa", "aaaa aaaa"));
        IReadOnlyList<int> ids = tokenizer.Encode(new string('a', 1_000_003), addSpecialTokens: false);
        Assert.Equal([259, .. Enumerable.Repeat(288, 125_000), 286, 260], ids);
    }

    [Fact]
    public void The_later_of_two_equal_merges_counts()
    {
        Assert.Equal("\u2581 a bc", Spelled(TokenizerJson.Llama2("a b", "b c", "a b"), "abc"));
        Assert.Equal("\u2581 ab c", Spelled(TokenizerJson.Llama2("a b", "b c"), "abc"));
    }

    [Fact]
    public void A_pre_tokenizer_cuts_characters_too()
    {
        JsonObject json = TokenizerJson.Llama2("a b", "\u2581 a");
        json["pre_tokenizer"] = JsonNode.Parse("""{"type": "Split", "pattern": {"Regex": "\u2581|[^\u2581]+"}, "behavior": "Isolated", "invert": false}""");
        Assert.Equal("\u2581 ab", Spelled(json, "ab"));
    }

    [Fact]
    public void A_type_may_be_left_out_as_in_older_files()
    {
        JsonObject json = TokenizerJson.Llama2();
        json["model"]!.AsObject().Remove("type");
        Assert.Equal("\u2581 a", Spelled(json, "a"));
    }

    [Fact]
    public void Strip_takes_no_more_than_it_says_from_each_end()
    {
        JsonObject json = TokenizerJson.Llama2();
        json["decoder"]!["decoders"]![3] = JsonNode.Parse("""{"type": "Strip", "content": "a", "start": 2, "stop": 1}""");
        PretrainedTokenizer tokenizer = TokenizerJson.Load(json);
        Assert.Equal("ab", tokenizer.Decode([260, 260, 260, 261, 260]));
        Assert.Equal("", tokenizer.Decode([260, 260]));
    }

    [Fact]
    public void An_unknown_token_that_is_no_token_is_refused()
    {
        JsonObject json = TokenizerJson.Llama2();
        json["model"]!["unk_token"] = "none";
        Assert.Contains("'model.unk_token' is \"none\"", Assert.Throws<InvalidDataException>(() => TokenizerJson.Load(json)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_added_token_that_is_looked_for_in_the_normalized_text_is_refused()
    {
        JsonObject json = TokenizerJson.Llama2();
        json["added_tokens"]![2]!["normalized"] = true;
        Assert.Contains("'added_tokens[2].normalized' is true", Assert.Throws<InvalidDataException>(() => TokenizerJson.Load(json)).Message, StringComparison.Ordinal);
    }

    // These tests run in globalization-invariant mode, where string.Normalize silently does nothing.
    [Theory]
    [InlineData("cafe\u0301")]
    [InlineData("\u2126")]
    public void Where_dotnet_cannot_compose_a_text_that_needs_it_is_refused(string text)
    {
        PretrainedTokenizer tokenizer = Composing();
        Assert.Contains("InvariantGlobalization", Assert.Throws<PlatformNotSupportedException>(() => tokenizer.Encode(text)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Most_texts_are_composed_and_need_no_help()
    {
        const string text = "caf\u00E9 \u2013 \u201Che\u201D\u2026";
        Assert.Equal(text, Composing().Decode(Composing().Encode(text)));
    }

    private static PretrainedTokenizer Composing()
    {
        JsonObject json = TokenizerJson.Llama2();
        json["normalizer"] = new JsonObject { ["type"] = "Sequence", ["normalizers"] = new JsonArray(new JsonObject { ["type"] = "NFC" }, json["normalizer"]!.DeepClone()) };
        return TokenizerJson.Load(json);
    }

    [Fact]
    public void Text_that_comes_token_by_token_joins_to_the_text()
    {
        var pieces = new List<string>();
        var stream = new TextStream(Llama2, pieces.Add);
        foreach (int id in Llama2.Encode("he he  é he"))
        {
            stream.Add(id);
        }

        stream.End();
        Assert.Equal(["he", " he", " ", " ", "é", " he"], pieces);
    }

    private static string Spelled(JsonObject json, string text)
    {
        var vocabulary = json["model"]!["vocab"]!.AsObject().ToDictionary(entry => (int)entry.Value!, entry => entry.Key);
        return string.Join(' ', TokenizerJson.Load(json).Encode(text, addSpecialTokens: false).Select(id => vocabulary[id]));
    }
}
