using CsCheck;
using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>Blocks from a text file.</summary>
public sealed class TextLinesTests : IDisposable
{
    private static readonly PretrainedTokenizer Tokenizer = PretrainedTokenizer.FromPretrained(RepositoryFolder.At("models", "tiny-austen"));

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Blocks_are_the_text_in_order_without_its_remainder()
    {
        string path = _folder.Write("a.txt", "My son, hear the instruction of thy father,\nand forsake not the law of thy mother.\n");
        IReadOnlyList<int> ids = Tokenizer.Encode(File.ReadAllText(path), addSpecialTokens: false);

        TextDataset dataset = TextDataset.FromTextLines(path, Tokenizer, blockLength: 8);

        Assert.Equal(ids.Count / 8, dataset.Count);
        Assert.Equal(ids.Take(dataset.Count * 8), dataset.Ids().SelectMany(row => row));
    }

    [Fact]
    public void Held_out_rows_overlap_by_one_token_so_that_each_is_predicted_once()
    {
        string path = _folder.Write("a.txt", string.Concat(Enumerable.Range(0, 40).Select(i => $"line number {i} of a text\n")));
        (TextDataset training, TextDataset heldOut) = TextDataset.SplitTextLines(path, Tokenizer, blockLength: 16, heldOut: 0.5);

        int[][] rows = heldOut.Ids();
        Assert.All(rows, row => Assert.Equal(17, row.Length));
        Assert.All(rows.Zip(rows.Skip(1)), pair => Assert.Equal(pair.First[^1], pair.Second[0]));
        Assert.StartsWith("line number 20 of", Tokenizer.Decode(rows[0]), StringComparison.Ordinal);
        Assert.StartsWith("line number 0 of", Tokenizer.Decode(training.Ids()[0]), StringComparison.Ordinal);
        Assert.DoesNotContain("number 20", Tokenizer.Decode(training.Ids().SelectMany(row => row)), StringComparison.Ordinal);
    }

    [Fact]
    public void Both_parts_together_are_the_whole_text_but_for_remainders()
    {
        Gen.Select(Gen.Int[10, 60], Gen.Double[0.2, 0.8]).Sample(
            (lines, share) =>
            {
                using var folder = new TemporaryFolder();
                string path = folder.Write("a.txt", string.Concat(Enumerable.Range(0, lines).Select(i => $"{i} and some more words\n")));
                (TextDataset training, TextDataset heldOut) = TextDataset.SplitTextLines(path, Tokenizer, blockLength: 4, share);
                int trainingLines = (int)(lines * (1 - share));
                string[] texts = [.. Enumerable.Range(0, lines).Select(i => $"{i} and some more words\n")];
                Assert.StartsWith(Tokenizer.Decode(training.Ids().SelectMany(row => row)), string.Concat(texts.Take(trainingLines)), StringComparison.Ordinal);
                Assert.StartsWith(Tokenizer.Decode(heldOut.Ids().SelectMany(row => row[..^1])), string.Concat(texts.Skip(trainingLines)), StringComparison.Ordinal);
            },
            iter: 50);
    }

    [Fact]
    public void A_text_shorter_than_a_block_is_named_without_quoting_it()
    {
        string path = _folder.Write("private.txt", "secret\n");
        string message = Assert.Throws<InvalidDataException>(() => TextDataset.FromTextLines(path, Tokenizer, blockLength: 128)).Message;
        Assert.StartsWith("private.txt: ", message, StringComparison.Ordinal);
        Assert.Contains("one block needs 128", message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_without_held_out_lines_is_refused()
    {
        string path = _folder.Write("a.txt", "one line only, but long enough for a block or two of four tokens\n");
        Assert.Throws<InvalidDataException>(() => TextDataset.SplitTextLines(path, Tokenizer, blockLength: 4, heldOut: 0.1));
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_refused()
    {
        File.WriteAllBytes(_folder.At("a.txt"), [0x61, 0xFF, 0x62]);
        Assert.Equal("a.txt: not valid UTF-8. Save it as UTF-8.", Assert.Throws<InvalidDataException>(() => TextDataset.FromTextLines(_folder.At("a.txt"), Tokenizer, 2)).Message);
    }

    [Theory]
    [InlineData(1, 0.1)]
    [InlineData(8, 0.0)]
    [InlineData(8, 1.0)]
    public void Lengths_and_shares_that_make_no_sense_are_refused(int blockLength, double share)
    {
        string path = _folder.Write("a.txt", "text\n");
        var parameter = blockLength < 2 ? "blockLength" : "heldOut";
        Assert.Throws<ArgumentOutOfRangeException>(parameter, () => TextDataset.SplitTextLines(path, Tokenizer, blockLength, share));
    }
}
