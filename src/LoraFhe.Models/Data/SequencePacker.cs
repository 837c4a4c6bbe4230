namespace LoraFhe.Models;

/// <summary>Packs rows into blocks by best-fit decreasing.</summary>
/// <remarks>Johnson, "Near-optimal bin packing algorithms" (1973): at most 11/9 of the fewest blocks possible, and one.</remarks>
internal static class SequencePacker
{
    /// <summary>Packs all rows; every block has one at least.</summary>
    /// <exception cref="ArgumentException">A row is longer than a block.</exception>
    public static IReadOnlyList<TextExample> Pack(IReadOnlyList<TextExample> rows, int blockLength) =>
        [.. Assign(rows, blockLength).Select(block => Join(block.ConvertAll(row => rows[row])))];

    // Which rows each block has, both in file order.
    private static IEnumerable<List<int>> Assign(IReadOnlyList<TextExample> rows, int blockLength)
    {
        var blocks = new List<List<int>>();
        var rooms = new SortedSet<(int Room, int Block)>();
        foreach (int row in Enumerable.Range(0, rows.Count).OrderByDescending(row => rows[row].InputIds.Length))
        {
            int length = rows[row].InputIds.Length;
            if (length > blockLength)
            {
                throw new ArgumentException(Errors.RowTooLong(row, length, blockLength), nameof(blockLength));
            }

            // The least room that is enough; of several such blocks the oldest.
            var (room, block) = rooms.GetViewBetween((length, 0), (blockLength, blocks.Count)).FirstOrDefault((blockLength, blocks.Count));
            if (block == blocks.Count)
            {
                blocks.Add([]);
            }

            blocks[block].Add(row);
            rooms.Remove((room, block));
            rooms.Add((room - length, block));
        }

        blocks.ForEach(block => block.Sort());
        return blocks.OrderBy(block => block[0]);
    }

    private static TextExample Join(List<TextExample> rows)
    {
        int length = rows.Sum(row => row.InputIds.Length);
        var (ids, labels, positions) = (new int[length], new int[length], new int[length]);
        int start = 0;
        foreach (TextExample row in rows)
        {
            int end = start + row.InputIds.Length;
            row.InputIds.Span.CopyTo(ids.AsSpan(start));
            row.Labels.Span.CopyTo(labels.AsSpan(start));

            // What stands before belongs to another text: it must not learn to go on with this one.
            labels[start] = TextDataset.IgnoreIndex;
            for (int i = start; i < end; i++)
            {
                positions[i] = i - start;
            }

            start = end;
        }

        return new TextExample(ids, labels) { PositionIds = positions };
    }
}
