using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>GPT-2's older pair of files, <c>vocab.json</c> and <c>merges.txt</c>.</summary>
public sealed class Gpt2FilesTests : IDisposable
{
    private const string Vocabulary = """{"a": 0, "b": 1, "Ġ": 2, "ab": 3, "Ġab": 4, "<|endoftext|>": 5}""";

    private readonly TemporaryFolder _folder = new();

    public Gpt2FilesTests()
    {
        _folder.Write("vocab.json", Vocabulary);
        _folder.Write("merges.txt", "#version: 0.2\na b\nĠ ab\n");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_end_of_text_is_the_special_token_where_no_file_names_one()
    {
        PretrainedTokenizer tokenizer = Load();
        Assert.Equal([3, 4, 5, 0], tokenizer.Encode("ab ab<|endoftext|>a"));
        Assert.Equal("ab aba", tokenizer.Decode([3, 4, 5, 0]));
        Assert.Equal("ab ab<|endoftext|>a", tokenizer.Decode([3, 4, 5, 0], skipSpecialTokens: false));
        Assert.Equal((5, 5, null, 6), (tokenizer.BosTokenId, tokenizer.EosTokenId, tokenizer.PadTokenId, tokenizer.VocabularySize));
    }

    [Fact]
    public void Other_special_tokens_are_named_and_added_by_the_other_files()
    {
        _folder.Write("tokenizer_config.json", """{"tokenizer_class": "GPT2TokenizerFast", "add_prefix_space": false, "eos_token": {"content": "b"}, "added_tokens_decoder": {"7": {"content": "<x>", "special": true}}}""");
        _folder.Write("special_tokens_map.json", """{"bos_token": "a", "eos_token": "a", "pad_token": "<pad>"}""");
        _folder.Write("added_tokens.json", """{"<pad>": 6, "<y>": 8}""");
        PretrainedTokenizer tokenizer = Load();
        Assert.Equal((0, 1, 6, 9), (tokenizer.BosTokenId, tokenizer.EosTokenId, tokenizer.PadTokenId, tokenizer.VocabularySize));
        Assert.Equal([6, 7, 8, 0, 1], tokenizer.Encode("<pad><x><y>ab"));
        Assert.Equal("<y>", tokenizer.Decode([6, 7, 8, 0, 1]));
    }

    [Fact]
    public void The_end_of_text_is_special_unless_all_kinds_are_named()
    {
        _folder.Write("special_tokens_map.json", """{"bos_token": "a", "eos_token": "a", "unk_token": "a"}""");
        Assert.Equal("<|endoftext|>", Load().Decode([5, 0]));
        _folder.Write("special_tokens_map.json", """{"bos_token": "a", "eos_token": "a"}""");
        Assert.Equal("", Load().Decode([5, 0]));
    }

    [Fact]
    public void A_tokenizer_json_beside_them_is_read_instead()
    {
        _folder.Write("tokenizer.json", TokenizerJson.Small("a b").ToJsonString());
        Assert.Equal("ab| |ab", Load().Pieces("ab ab"));
    }

    [Theory]
    [InlineData("vocab.json", "merges.txt")]
    [InlineData("merges.txt", "vocab.json")]
    public void Either_file_alone_is_refused(string kept, string missing)
    {
        File.Delete(_folder.At(missing));
        string message = Assert.Throws<FileNotFoundException>(Load).Message;
        Assert.Contains($"has {kept}, but neither {missing} nor a tokenizer.json", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokenizer_config.json", """{"tokenizer_class": "RobertaTokenizer"}""", "tokenizer_config.json: 'tokenizer_class' is \"RobertaTokenizer\"")]
    [InlineData("tokenizer_config.json", """{"add_prefix_space": true}""", "tokenizer_config.json: 'add_prefix_space' is true")]
    [InlineData("tokenizer_config.json", """{"add_bos_token": true}""", "tokenizer_config.json: 'add_bos_token' is true")]
    [InlineData("tokenizer_config.json", """{"eos_token": "<none>"}""", "tokenizer_config.json: 'eos_token' is '<none>', which the tokenizer does not have.")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"x": {"content": "y"}}}""", "tokenizer_config.json: 'added_tokens_decoder.x'")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"6": {"content": "y", "lstrip": true}}}""", "tokenizer_config.json: 'added_tokens_decoder.6.lstrip' is true")]
    [InlineData("added_tokens.json", """{"a": 6}""", "added_tokens.json: the added token 'a' has the id 6; the vocabulary gives it 0.")]
    [InlineData("added_tokens.json", """{"y": 5}""", "added_tokens.json: two tokens have the id 5.")]
    [InlineData("added_tokens.json", """{"y": -1}""", "added_tokens.json: 'y' is not a whole number from 0.")]
    [InlineData("vocab.json", """[]""", "vocab.json: the file is not an object.")]
    [InlineData("vocab.json", """{"a": 0, "a": 1}""", "vocab.json: the token 'a' appears twice.")]
    [InlineData("vocab.json", """{"a": 0, "b": 0}""", "vocab.json: two tokens have the id 0.")]
    [InlineData("vocab.json", """{"a": "0"}""", "vocab.json: 'a' is not a whole number from 0.")]
    [InlineData("merges.txt", "#version: 0.2\na b\na b a\n", "merges.txt line 3: must join two tokens")]
    [InlineData("merges.txt", "a\n", "merges.txt line 1: must join two tokens")]
    [InlineData("merges.txt", "#version: 0.2\n\nb a\n", "merges.txt line 3: must join two tokens")]
    public void What_is_wrong_is_named_by_file_and_key(string file, string content, string expected)
    {
        _folder.Write(file, content);
        Assert.StartsWith(expected, Assert.Throws<InvalidDataException>(Load).Message, StringComparison.Ordinal);
    }

    private PretrainedTokenizer Load() => PretrainedTokenizer.FromPretrained(_folder.Path);
}
