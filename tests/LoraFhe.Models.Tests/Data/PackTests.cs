using CsCheck;
using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

/// <summary>Rows packed into blocks: all of them, whole, apart, and with little padding.</summary>
public sealed class PackTests
{
    private const int BlockLength = 64;

    private static readonly PretrainedTokenizer Tokenizer = PretrainedTokenizer.FromPretrained(RepositoryFolder.At("models", "tiny-austen"));

    [Fact]
    public void Every_row_is_in_one_block_whole_and_begins_at_position_zero() => Lengths.Sample(lengths =>
    {
        var rows = Make(lengths);
        var blocks = new TextDataset(rows, paddingId: 0).Pack(BlockLength).Examples;

        var unpacked = blocks.SelectMany(Unpack).ToList();
        Assert.Equal(rows.Select(row => row.InputIds.ToArray()).OrderBy(ids => ids[0]), unpacked.Select(row => row.Ids).OrderBy(ids => ids[0]));
        Assert.All(unpacked, row => Assert.Equal(row.Ids.Select((id, i) => i == 0 || id % 3 == 0 ? TextDataset.IgnoreIndex : id), row.Labels));
    });

    [Fact]
    public void No_block_is_too_long_and_no_two_would_fit_into_one() => Lengths.Sample(lengths =>
    {
        int[] sizes = [.. new TextDataset(Make(lengths), paddingId: 0).Pack(BlockLength).Examples.Select(block => block.InputIds.Length)];
        Assert.All(sizes, size => Assert.InRange(size, 1, BlockLength));
        for (int i = 0; i < sizes.Length; i++)
        {
            Assert.All(sizes[..i], other => Assert.True(other + sizes[i] > BlockLength));
        }
    });

    [Fact]
    public void Rows_and_blocks_are_in_file_order() => Lengths.Sample(lengths =>
    {
        // A row's first id is 1000 times its number.
        int[][] blocks = [.. new TextDataset(Make(lengths), paddingId: 0).Pack(BlockLength).Examples.Select(block => Unpack(block).Select(row => row.Ids[0]).ToArray())];
        Assert.All(blocks, block => Assert.Equal(block.Order(), block));
        Assert.Equal(blocks.Select(block => block[0]).Order(), blocks.Select(block => block[0]));
    });

    [Fact]
    public void A_batch_has_positions_in_place_of_a_mask_and_zeros_where_it_is_padded()
    {
        // 5 + 3 fill one block, 6 has one of its own.
        var packed = new TextDataset(Make([5, 6, 3]), paddingId: 7).Pack(8);
        using var batch = packed.First(2);

        Assert.Null(batch.AttentionMask);
        Assert.Equal([[0, 1, 2, 3, 4, 0, 1, 2], [0, 1, 2, 3, 4, 5, 0, 0]], batch["position_ids"].ToRows());
        Assert.Equal([0, 1, 2, 3, 4, 2000, 2001, 2002], batch["input_ids"].ToRows()[0]);
        Assert.Equal([7, 7], batch["input_ids"].ToRows()[1][6..]);
        Assert.Equal([-100, -100], batch["labels"].ToRows()[1][6..]);
    }

    [Fact]
    public void Padding_is_what_a_batch_computes_beyond_its_rows()
    {
        var rows = new TextDataset(Make([5, 6, 3, 4]), paddingId: 7);
        Assert.Equal(1 - (18 / 20.0), rows.PaddingShare(batchSize: 2), 12);
        Assert.Equal(1 - (18 / 24.0), rows.PaddingShare(batchSize: 4), 12);
        Assert.Equal(0, rows.PaddingShare(batchSize: 1));
        Assert.Equal(0, rows.Pack(9).PaddingShare(batchSize: 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => rows.PaddingShare(0));
    }

    [Fact]
    public void A_row_that_no_block_holds_is_named()
    {
        var rows = new TextDataset(Make([5, 9, 3]), paddingId: 7);
        Assert.Contains("Row 1 has 9 tokens; a block holds 8.", Assert.Throws<ArgumentException>(() => rows.Pack(8)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => rows.Pack(1));
    }

    [Fact]
    public void Sentences_of_a_book_waste_a_quarter_of_their_batches_unpacked_and_next_to_nothing_packed()
    {
        using var folder = new TemporaryFolder();
        var lines = File.ReadLines(RepositoryFolder.At("models", "text", "kjv-proverbs.txt")).Where(line => line.Length > 0)
            .Select(line => System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, string> { ["text"] = line }));
        var rows = TextDataset.FromJsonLines(folder.Write("proverbs.jsonl", string.Join('\n', lines)), Tokenizer, maxLength: 512);
        var packed = rows.Pack(512);

        Assert.Equal(rows.Count, packed.Examples.Sum(block => Unpack(block).Count()));
        Assert.InRange(rows.PaddingShare(batchSize: 16), 0.2, 0.3);
        Assert.InRange(packed.PaddingShare(batchSize: 1), 0, 0.01);
        Assert.InRange(packed.PaddingShare(batchSize: 4), 0, 0.02);
    }

    private static Gen<int[]> Lengths => Gen.Int[2, BlockLength].Array[1, 60];

    // Row i is i·1000, i·1000 + 1, …; a third of its tokens are not to be predicted.
    private static TextExample[] Make(int[] lengths) =>
        [.. lengths.Select((length, i) =>
        {
            int[] ids = [.. Enumerable.Range(i * 1000, length)];
            return new TextExample(ids, ids.Select(id => id % 3 == 0 ? TextDataset.IgnoreIndex : id).ToArray());
        })];

    private static IEnumerable<(int[] Ids, int[] Labels)> Unpack(TextExample block)
    {
        var starts = Enumerable.Range(0, block.InputIds.Length).Where(i => block.PositionIds.Span[i] == 0).Append(block.InputIds.Length).ToList();
        foreach (var (start, end) in starts.Zip(starts.Skip(1)))
        {
            Assert.Equal(Enumerable.Range(0, end - start), block.PositionIds[start..end].ToArray());
            yield return (block.InputIds[start..end].ToArray(), block.Labels[start..end].ToArray());
        }
    }
}
