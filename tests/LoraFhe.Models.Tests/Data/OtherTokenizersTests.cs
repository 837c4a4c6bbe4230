using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>Data sets with tokenizers of other forms than the shipped model's: one that begins a text with a space, one that has no special token but the end.</summary>
public sealed class OtherTokenizersTests : IDisposable
{
    private const int Ignored = TextDataset.IgnoreIndex;

    private static readonly PretrainedTokenizer Llama2 =
        TokenizerJson.Load(TokenizerJson.Llama2("\u2581 a", "\u2581 b"), """{"bos_token": "<s>", "eos_token": "</s>"}""");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_text_is_one_stream_without_special_tokens()
    {
        TextDataset dataset = TextDataset.FromTextLines(_folder.Write("a.txt", "a b\nc c"), Llama2, blockLength: 3);
        Assert.Equal([[286, 287, 3 + '\n'], [262, 259, 262]], dataset.Ids());
    }

    [Fact]
    public void A_prompt_ends_where_its_tokens_part_from_those_of_prompt_and_completion()
    {
        string path = _folder.Write("a.jsonl", """{"prompt": "a", "completion": " b"}""");
        TextDataset dataset = TextDataset.FromJsonLines(path, Llama2, maxLength: 16);
        Assert.Equal([[1, 286, 287, 2]], dataset.Ids());
        Assert.Equal([Ignored, Ignored, 287, 2], dataset.Examples[0].Labels.ToArray());
    }

    [Fact]
    public void Gpt2_ends_a_row_and_fills_shorter_ones_with_its_one_special_token()
    {
        _folder.Write("vocab.json", """{"a": 0, "b": 1, "<|endoftext|>": 2}""");
        _folder.Write("merges.txt", "#version: 0.2\n");
        string path = _folder.Write("a.jsonl", """
            {"text": "ab"}
            {"prompt": "a", "completion": "bab"}
            """);
        TextDataset dataset = TextDataset.FromJsonLines(path, PretrainedTokenizer.FromPretrained(_folder.Path), maxLength: 16);
        using Batch batch = dataset.First(2);
        Assert.Equal([[0, 1, 2, 2, 2], [0, 1, 0, 1, 2]], batch["input_ids"].ToRows());
        Assert.Equal([[0, 1, 2, Ignored, Ignored], [Ignored, 1, 0, 1, 2]], batch["labels"].ToRows());
    }
}
