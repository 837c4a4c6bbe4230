using CsCheck;
using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>The shipped model's tokenizer: special tokens, and text that no one recorded.</summary>
public sealed class TinyAustenTokenizerTests
{
    private static readonly PretrainedTokenizer Tokenizer = PretrainedTokenizer.FromPretrained(RepositoryFolder.At("models", "tiny-austen"));

    [Fact]
    public void The_folder_names_its_special_tokens()
    {
        Assert.Equal(0, Tokenizer.BosTokenId);
        Assert.Equal(1, Tokenizer.EosTokenId);
        Assert.Null(Tokenizer.PadTokenId);
        Assert.Equal(1024, Tokenizer.VocabularySize);
        Assert.Equal(1, Tokenizer.TokenToId("<|end_of_text|>"));
        Assert.Null(Tokenizer.TokenToId("<|absent|>"));
    }

    [Fact]
    public void The_beginning_is_added_and_left_out_when_asked_for()
    {
        IReadOnlyList<int> bare = Tokenizer.Encode("My son,", addSpecialTokens: false);
        Assert.Equal([0, .. bare], Tokenizer.Encode("My son,"));
        Assert.Equal([0], Tokenizer.Encode(""));
        Assert.Equal("My son,", Tokenizer.Decode([0, .. bare, 1]));
        Assert.Equal("<|begin_of_text|>My son,<|end_of_text|>", Tokenizer.Decode([0, .. bare, 1], skipSpecialTokens: false));
    }

    [Fact]
    public void An_id_of_no_token_stands_for_nothing()
    {
        Assert.Equal("", Tokenizer.Decode([1024, -1, int.MaxValue]));
    }

    [Fact]
    public void Bytes_that_are_not_utf8_become_replacement_characters()
    {
        int half = Tokenizer.Encode("é", addSpecialTokens: false)[0];
        Assert.Equal("\uFFFDa", Tokenizer.Decode([half, .. Tokenizer.Encode("a", addSpecialTokens: false)]));
    }

    [Fact]
    public void Any_text_comes_back_from_its_ids()
    {
        Gen<string> rune = Gen.OneOf(
            Gen.Char[' ', '~'].Select(c => c.ToString()),
            Gen.OneOfConst(" ", "\n", "\r\n", "\t", "'s", "'LL", "<|end_of_text|>", "the ", "and"),
            Gen.Int[0, 0x10FFFF].Where(value => value is < 0xD800 or > 0xDFFF).Select(char.ConvertFromUtf32));
        rune.Array[0, 40].Select(string.Concat).Sample(text => Tokenizer.Decode(Tokenizer.Encode(text), skipSpecialTokens: false) == "<|begin_of_text|>" + text);
    }

    [Fact]
    public void Half_a_surrogate_pair_counts_as_a_replacement_character()
    {
        Assert.Equal(Tokenizer.Encode("a\uFFFDb\uFFFD"), Tokenizer.Encode("a\uD83Db\uDC22"));
    }
}
