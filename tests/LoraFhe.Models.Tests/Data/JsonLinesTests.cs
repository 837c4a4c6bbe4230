using System.Text.Json;
using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>Rows from a JSON Lines file, against what TRL's SFTTrainer makes of the same rows.</summary>
public sealed class JsonLinesTests : IDisposable
{
    private static readonly PretrainedTokenizer Tokenizer = PretrainedTokenizer.FromPretrained(RepositoryFolder.At("models", "tiny-austen"));

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("text-tiny-austen")]
    [InlineData("prompt-completion-tiny-austen")]
    public void Rows_and_batch_are_the_recorded_ones(string name)
    {
        using Golden golden = Golden.Open("sft");
        GoldenJson recorded = golden.Json("cases.json")["cases"].Items.Single(item => item["name"].AsString == name);
        string path = _folder.Write("a.jsonl", string.Join('\n', recorded["examples"].Items.Select(item => JsonSerializer.Serialize(item.Element))));

        TextDataset dataset = TextDataset.FromJsonLines(path, Tokenizer, maxLength: 1024);

        Assert.Equal(recorded["prepared"].Items.Select(row => row["input_ids"].AsInt32s), dataset.Ids());
        Assert.Equal(recorded["prepared"].Items.Select(row => row["labels"].AsInt32s), dataset.Examples.Select(example => example.Labels.ToArray()));
        using Batch batch = dataset.First(dataset.Count);
        foreach (string tensor in (string[])["input_ids", "attention_mask", "labels"])
        {
            Assert.Equal(recorded["batch"][tensor].Items.Select(row => row.AsInt64s), batch[tensor].ToRows());
        }
    }

    [Fact]
    public void A_row_is_cut_to_the_longest_length_and_dropped_where_nothing_is_left_to_predict()
    {
        string path = _folder.Write("a.jsonl", """
            {"prompt": "What is the Corvo unit?", "completion": " A gauge."}

            {"text": "The Corvo unit is a gauge."}
            """);
        int prompt = Tokenizer.Encode("What is the Corvo unit?").Count;

        TextDataset longer = TextDataset.FromJsonLines(path, Tokenizer, maxLength: prompt + 1);
        Assert.Equal((2, 0), (longer.Count, longer.DroppedRows));
        Assert.Equal(prompt, longer.Examples[0].Labels.ToArray().Count(label => label == TextDataset.IgnoreIndex));

        TextDataset shorter = TextDataset.FromJsonLines(path, Tokenizer, maxLength: prompt);
        Assert.Equal((1, 1), (shorter.Count, shorter.DroppedRows));
    }

    [Theory]
    [InlineData("{\"text\": \"ok ok ok\"}\n{\"text\": \"secret", "a.jsonl line 2: not valid JSON.")]
    [InlineData("{\"text\": \"ok ok ok\"}\n\n[\"secret\"]", "a.jsonl line 3: a row needs 'text', or 'prompt' and 'completion'.")]
    [InlineData("{\"messages\": [{\"role\": \"user\", \"content\": \"secret\"}]}", "a.jsonl line 1: a row needs 'text'")]
    [InlineData("{\"prompt\": \"secret\"}", "a.jsonl line 1: a row needs 'text'")]
    [InlineData("{\"text\": [\"secret\"]}", "a.jsonl line 1: 'text' is not a string.")]
    [InlineData("{\"prompt\": \"secret\", \"completion\": 5}", "a.jsonl line 1: 'completion' is not a string.")]
    [InlineData("", "a.jsonl: no row has a token to predict within 16 tokens.")]
    public void A_faulty_line_is_named_without_quoting_it(string content, string expected)
    {
        string path = _folder.Write("a.jsonl", content);
        string message = Assert.Throws<InvalidDataException>(() => TextDataset.FromJsonLines(path, Tokenizer, maxLength: 16)).Message;
        Assert.StartsWith(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
    }
}
