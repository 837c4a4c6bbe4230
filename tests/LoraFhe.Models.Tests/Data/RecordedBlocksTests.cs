using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>The shipped text against the blocks that the recorded Python run trained and evaluated on.</summary>
public sealed class RecordedBlocksTests
{
    private static readonly PretrainedTokenizer Tokenizer = PretrainedTokenizer.FromPretrained(RepositoryFolder.At("models", "tiny-austen"));

    [Fact]
    public void Training_blocks_are_those_of_the_recorded_run()
    {
        using Golden golden = Golden.Open("lora/tiny-austen-proverbs");
        int block = golden.Json("report.json")["block"].AsInt32;
        GoldenTensor<long> batches = golden.Int64s("batches", "batches");

        TextDataset training = TextDataset.SplitTextLines(RepositoryFolder.At("models", "text", "kjv-proverbs.txt"), Tokenizer, block).Training;

        // The recorded run goes through the text almost three times, so every block is in it.
        HashSet<string> recorded = [.. batches.Values.Chunk(block).Select(row => string.Join(' ', row))];
        Assert.Equal(recorded.Order(StringComparer.Ordinal), training.Ids().Select(row => string.Join(' ', row)).Order(StringComparer.Ordinal));
        Assert.Equal(209, training.Count);
        Assert.All(training.Examples, example => Assert.Equal(example.InputIds, example.Labels));
    }

    [Fact]
    public void Evaluation_rows_are_those_of_the_recorded_run()
    {
        using Golden golden = Golden.Open("lora/tiny-austen-proverbs");
        GoldenJson report = golden.Json("report.json");
        int block = report["block"].AsInt32;
        int predicted = report["before"]["tokens"].AsInt32;

        TextDataset heldOut = TextDataset.SplitTextLines(RepositoryFolder.At("models", "text", "kjv-proverbs.txt"), Tokenizer, block).HeldOut.Take(predicted / block);

        int[] expected = report["eval_ids"].AsInt32s;
        Assert.Equal(Enumerable.Range(0, predicted / block).Select(row => expected[(row * block)..((row + 1) * block + 1)]), heldOut.Ids());
        Assert.Equal(expected.Length, (predicted / block * block) + 1);
    }
}
