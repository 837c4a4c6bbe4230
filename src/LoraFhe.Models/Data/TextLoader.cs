using System.Collections;

namespace LoraFhe.Models;

/// <summary>A dataset's batches, shuffled by seed and epoch or in file order.</summary>
internal sealed class TextLoader(TextDataset dataset, int batchSize, int? seed) : IEpochLoader
{
    private int _epoch = 1;

    /// <inheritdoc/>
    public int? Count => (dataset.Count + batchSize - 1) / batchSize;

    /// <inheritdoc/>
    public void SetEpoch(int epoch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(epoch, 1);
        _epoch = epoch;
    }

    /// <inheritdoc/>
    public IEnumerator<Batch> GetEnumerator()
    {
        int[] order = seed is { } chosen ? EpochOrder.Shuffle(dataset.Count, chosen, _epoch) : [.. Enumerable.Range(0, dataset.Count)];
        return order.Chunk(batchSize).Select(rows => dataset.Collate([.. rows.Select(row => dataset.Examples[row])])).GetEnumerator();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
