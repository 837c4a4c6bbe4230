using System.Collections;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>Rows in an order that depends on the seed and the epoch alone.</summary>
internal sealed class ShuffledLoader(Tensor x, Tensor labels, int batchSize, int seed) : IEpochLoader
{
    private readonly List<Tensor> _made = [];
    private int _epoch = 1;

    public int? Count => (int)((x.shape[0] + batchSize - 1) / batchSize);

    /// <summary>Batches that were made, in all.</summary>
    public int Made => _made.Count / 2;

    /// <summary>Tensors of batches that nobody has disposed of.</summary>
    public int Alive => _made.Count(made => !made.IsInvalid);

    public void SetEpoch(int epoch) => _epoch = epoch;

    public IEnumerator<Batch> GetEnumerator()
    {
        var order = Enumerable.Range(0, (int)x.shape[0]).Select(i => (long)i).ToArray();
        new Random(HashCode(seed, _epoch)).Shuffle(order);
        foreach (var rows in order.Chunk(batchSize))
        {
            using var index = tensor(rows);
            var (data, classes) = (x.index_select(0, index), labels.index_select(0, index));
            _made.AddRange([data, classes]);
            yield return new Batch(data, classes);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static int HashCode(int seed, int epoch) => (seed * 1_000_003) ^ (epoch * 7919);
}
