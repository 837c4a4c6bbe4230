using System.Text.Json.Nodes;
using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>What a tokenizer.json may say that is not known here is refused by its key, for ids would silently differ.</summary>
public sealed class TokenizerRefusalTests
{
    [Theory]
    [InlineData("normalizer", """{"type": "Lowercase"}""", "'normalizer.type' is \"Lowercase\"")]
    [InlineData("normalizer", """{"type": "Sequence", "normalizers": [{"type": "NFKC"}]}""", "'normalizer.normalizers[0].type'")]
    [InlineData("normalizer", """{"type": "Replace", "pattern": {"Regex": "a"}, "content": "b"}""", "'normalizer.pattern'")]
    [InlineData("normalizer", """{"type": "Replace", "pattern": {"String": ""}, "content": "b"}""", "'normalizer.pattern'")]
    [InlineData("normalizer", """{"type": "Prepend", "prepend": "a", "once": true}""", "'normalizer.once' is not known")]
    [InlineData("pre_tokenizer", "null", "'pre_tokenizer'")]
    [InlineData("pre_tokenizer.pretokenizers.0.new", "1", "'pre_tokenizer.pretokenizers[0].new' is not known")]
    [InlineData("pre_tokenizer", """{"type": "Metaspace"}""", "'pre_tokenizer.type' is \"Metaspace\"")]
    [InlineData("pre_tokenizer", """{"type": "Sequence", "pretokenizers": []}""", "'pre_tokenizer'")]
    [InlineData("pre_tokenizer.pretokenizers.0.type", "\"Whitespace\"", "'pre_tokenizer.pretokenizers[0].type' is \"Whitespace\"")]
    [InlineData("pre_tokenizer.pretokenizers.0.behavior", "\"Removed\"", "'pre_tokenizer.pretokenizers[0].behavior'")]
    [InlineData("pre_tokenizer.pretokenizers.0.invert", "true", "'pre_tokenizer.pretokenizers[0].invert'")]
    [InlineData("pre_tokenizer.pretokenizers.0.pattern.Regex", "\"a++(\"", "'pre_tokenizer.pretokenizers[0].pattern.Regex'")]
    [InlineData("pre_tokenizer.pretokenizers.1.add_prefix_space", "true", "'pre_tokenizer.pretokenizers[1].add_prefix_space'")]
    [InlineData("pre_tokenizer.pretokenizers", """[{"type": "Digits"}]""", "'decoder.type'")]
    [InlineData("pre_tokenizer.pretokenizers", """[{"type": "ByteLevel"}, {"type": "Digits"}]""", "'pre_tokenizer.pretokenizers[0].type' is \"ByteLevel\"")]
    [InlineData("post_processor.type", "\"RobertaProcessing\"", "'post_processor.type'")]
    [InlineData("post_processor.single", """[{"Sequence": {"id": "B", "type_id": 0}}]""", "'post_processor.single[0]'")]
    [InlineData("post_processor.single", "[]", "'post_processor.single'")]
    [InlineData("post_processor.special_tokens.<|begin_of_text|>.ids", "[1024]", "'post_processor.special_tokens.<|begin_of_text|>.ids[0]' is not the id of a token; it is 1024")]
    [InlineData("post_processor", """{"type": "Sequence", "processors": [{"type": "TemplateProcessing"}, {"type": "TemplateProcessing"}]}""", "'post_processor.processors[1].type'")]
    [InlineData("decoder", "null", "'decoder'")]
    [InlineData("decoder", """{"type": "Sequence", "decoders": []}""", "'decoder.type'")]
    [InlineData("decoder.type", "\"WordPiece\"", "'decoder.type'")]
    [InlineData("model.type", "\"Unigram\"", "'model.type' is \"Unigram\"")]
    [InlineData("model.dropout", "0.1", "'model.dropout'")]
    [InlineData("model.unk_token", "\"<unk>\"", "'model.unk_token'")]
    [InlineData("model.continuing_subword_prefix", "\"##\"", "'model.continuing_subword_prefix'")]
    [InlineData("model.end_of_word_suffix", "\"</w>\"", "'model.end_of_word_suffix'")]
    [InlineData("model.byte_fallback", "1", "'model.byte_fallback' is not true or false")]
    [InlineData("model.new", "null", "'model.new' is not known")]
    [InlineData("new", "{}", "'new' is not known")]
    [InlineData("model.ignore_merges", "\"yes\"", "'model.ignore_merges' is not true or false")]
    [InlineData("model.vocab", "[]", "'model.vocab' is not an object")]
    [InlineData("model.vocab.!", "-1", "'model.vocab.!' is not a whole number")]
    [InlineData("model.vocab.!", "3", "two tokens have the id 3")]
    [InlineData("model.vocab.!", "2147483647", "'model.vocab.!' is not the id of a token; it is 2147483647")]
    [InlineData("model.vocab.!", "2147483648", "'model.vocab.!' is not a whole number")]
    [InlineData("model.merges", """["a b c"]""", "'model.merges[0]'")]
    [InlineData("model.merges", """["h e", "q qq"]""", "'model.merges[1]'")]
    [InlineData("model.merges", """[["h", "e", "r"]]""", "'model.merges[0]'")]
    [InlineData("model.merges", """[["h", 1]]""", "'model.merges[0][1]' is not a string")]
    [InlineData("added_tokens.0.lstrip", "true", "'added_tokens[0].lstrip'")]
    [InlineData("added_tokens.0.single_word", "true", "'added_tokens[0].single_word'")]
    [InlineData("added_tokens.0.id", "5", "'<|begin_of_text|>' has the id 5; the vocabulary gives it 0")]
    [InlineData("added_tokens.0.content", "\"<|new|>\"", "two tokens have the id 0")]
    [InlineData("added_tokens.0.content", "\"\"", "the token ''")]
    [InlineData("added_tokens.1.content", "\"<|begin_of_text|>\"", "the token '<|begin_of_text|>' appears twice")]
    public void A_value_that_is_not_known_is_refused_by_its_key(string key, string value, string expected)
    {
        JsonObject json = TokenizerJson.TinyAusten();
        string[] keys = key.Split('.');
        JsonNode parent = keys[..^1].Aggregate((JsonNode)json, (node, step) => int.TryParse(step, out int index) ? node[index]! : node[step]!);
        parent[keys[^1]] = JsonNode.Parse(value);

        string message = Assert.Throws<InvalidDataException>(() => TokenizerJson.Load(json)).Message;

        Assert.StartsWith("tokenizer.json: ", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model")]
    [InlineData("pre_tokenizer")]
    [InlineData("decoder")]
    public void A_missing_part_is_named(string key)
    {
        JsonObject json = TokenizerJson.TinyAusten();
        json.Remove(key);
        Assert.Equal($"tokenizer.json: '{key}' is missing.", Assert.Throws<InvalidDataException>(() => TokenizerJson.Load(json)).Message);
    }

    [Fact]
    public void A_special_token_that_no_file_has_is_named()
    {
        string message = Assert.Throws<InvalidDataException>(() => TokenizerJson.Load(TokenizerJson.TinyAusten(), """{"eos_token": "</s>"}""")).Message;
        Assert.Equal("tokenizer_config.json: 'eos_token' is '</s>', which the tokenizer does not have.", message);
    }

    [Theory]
    [InlineData("""{"bos_token": "<|begin_of_text|>", "add_bos_token": false}""", "'add_bos_token' is false, but the tokenizer's post_processor adds that token.")]
    [InlineData("""{"bos_token": "<|end_of_text|>", "add_bos_token": true}""", "'add_bos_token' is true, but the tokenizer's post_processor does not add that token.")]
    [InlineData("""{"add_eos_token": true}""", "'add_eos_token' is true, but the tokenizer's post_processor does not add that token.")]
    [InlineData("""{"add_eos_token": "no"}""", "'add_eos_token' is not true or false.")]
    public void A_special_token_that_one_file_adds_and_the_other_does_not_is_refused(string config, string expected)
    {
        string message = Assert.Throws<InvalidDataException>(() => TokenizerJson.Load(TokenizerJson.TinyAusten(), config)).Message;
        Assert.StartsWith("tokenizer_config.json: " + expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_agree_on_the_added_tokens_are_read()
    {
        PretrainedTokenizer tokenizer = TokenizerJson.Load(
            TokenizerJson.TinyAusten(), """{"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>", "add_bos_token": true, "add_eos_token": false}""");
        Assert.Equal([0], tokenizer.Encode(""));
    }

    [Fact]
    public void A_file_that_is_not_json_is_refused()
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", "{\"model\": ");
        Assert.StartsWith("tokenizer.json: not valid JSON", Assert.Throws<InvalidDataException>(() => PretrainedTokenizer.FromPretrained(folder.Path)).Message, StringComparison.Ordinal);
        folder.Write("tokenizer.json", "[]");
        Assert.StartsWith("tokenizer.json: ", Assert.Throws<InvalidDataException>(() => PretrainedTokenizer.FromPretrained(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_a_tokenizer_is_named()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(folder.Path, Assert.Throws<FileNotFoundException>(() => PretrainedTokenizer.FromPretrained(folder.Path)).Message, StringComparison.Ordinal);
    }
}
