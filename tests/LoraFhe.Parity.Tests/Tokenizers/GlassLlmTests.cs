using LoraFhe.Fixtures;
using LoraFhe.Models;

namespace LoraFhe.Parity.Tests.Tokenizers;

/// <summary>glassllm's tokenizer: byte pair encoding of characters, made by no one here.</summary>
public sealed class GlassLlmTests
{
    private static readonly PretrainedTokenizer Tokenizer = TokenizerFolders.Load("glassllm");

    [Fact]
    public void Merges_are_made_in_the_order_of_the_file()
    {
        // "▁Alice": i c, ▁ A, ic e, l ice, ▁A lice are merges 39, 66, 74, 97 and 115. "▁beginning": i n (3, twice), in g, ▁ b, ▁b e, ▁be g, n ing, ▁beg in.
        Assert.Equal([Id("\u2581Alice"), Id("\u2581begin"), Id("ning")], Tokenizer.Encode(" Alice beginning"));
    }

    [Fact]
    public void Every_text_of_its_characters_comes_back()
    {
        GoldenJson config = Read("tokenizer.json")["model"]["vocab"];
        string alphabet = string.Concat(config.Members.Select(member => member.Name).Where(token => token.Length == 1)).Replace('\u2581', ' ');
        CsCheck.Check.Sample(
            CsCheck.Gen.String[CsCheck.Gen.OneOfConst([.. alphabet]), 0, 60],
            text =>
            {
                IReadOnlyList<int> ids = Tokenizer.Encode(text);
                Assert.DoesNotContain(Id("<unk>"), ids);
                Assert.Equal(text, Tokenizer.Decode(ids));
            });
    }

    [Fact]
    public void Each_unknown_character_is_one_unknown_token()
    {
        Assert.Equal([Id("a"), Id("<unk>"), Id("<unk>"), Id("b")], Tokenizer.Encode("a\u00E9\u00FEb"));
    }

    [Fact]
    public void Two_ways_to_write_a_character_are_one()
    {
        if (!TokenizerFolders.Composes)
        {
            Assert.Throws<PlatformNotSupportedException>(() => Tokenizer.Encode("u\u0300"));
            return;
        }

        Assert.Equal([Id("<unk>")], Tokenizer.Encode("\U0001F600"));
        Assert.Equal(Tokenizer.Encode("\u00F9\u00C6"), Tokenizer.Encode("u\u0300\u00C6"));
        Assert.Equal([Id("\u00F9")], Tokenizer.Encode("u\u0300"));
    }

    [Fact]
    public void Its_ids_fit_the_model()
    {
        Assert.Equal(Read("config.json")["vocab_size"].AsInt32, Tokenizer.VocabularySize);
        Assert.Null(Tokenizer.EosTokenId);
    }

    private static int Id(string token) => Tokenizer.TokenToId(token) ?? throw new InvalidDataException($"There is no token '{token}'.");

    private static GoldenJson Read(string file)
    {
        using var golden = Golden.Open("glassllm-en");
        return golden.Json(file);
    }
}
