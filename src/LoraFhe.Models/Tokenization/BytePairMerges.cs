using System.Runtime.InteropServices;

namespace LoraFhe.Models;

/// <summary>The merges of byte pair encoding: again and again the pair of neighbors whose merge was learned first is joined, the leftmost of equals.</summary>
/// <remarks>A queue holds the neighbors that can merge, as in Hugging Face's tokenizers (<c>models/bpe/word.rs</c>), so n symbols take n log n steps. Microsoft.ML.Tokenizers' own
/// merging is quadratic in the length of a piece, and a tokenizer without a pre-tokenizer has the whole text for a piece.</remarks>
internal sealed class BytePairMerges
{
    private const int None = -1;

    private readonly Dictionary<(int Left, int Right), (int Rank, int Merged)> _pairs = [];

    /// <summary>Adds a merge, the next in rank; a pair that is there already takes the new rank.</summary>
    /// <param name="left">The left token's id.</param>
    /// <param name="right">The right token's id.</param>
    /// <param name="merged">The id of the two together.</param>
    public void Add(int left, int right, int merged) => _pairs[(left, right)] = (Count++, merged);

    /// <summary>How many were added.</summary>
    public int Count { get; private set; }

    /// <summary>Merges what can be merged.</summary>
    /// <param name="symbols">A piece's symbols, ids from 0; holds its tokens afterwards.</param>
    public void Apply(List<int> symbols)
    {
        Span<int> ids = CollectionsMarshal.AsSpan(symbols);
        int[] next = new int[ids.Length];
        int[] previous = new int[ids.Length];
        var queue = new PriorityQueue<int, long>();
        for (int i = 0; i < ids.Length; i++)
        {
            (previous[i], next[i]) = (i - 1, i + 1 < ids.Length ? i + 1 : None);
            Enqueue(queue, ids, i, next[i]);
        }

        while (queue.TryDequeue(out int merged, out long order))
        {
            int left = (int)(order & uint.MaxValue);
            int right = next[left];

            // Since it was queued either of the two may have been merged away, or have become another.
            if (right == None || !_pairs.TryGetValue((ids[left], ids[right]), out var pair) || pair.Merged != merged)
            {
                continue;
            }

            (ids[left], ids[right]) = (merged, None);
            next[left] = next[right];
            if (next[left] != None)
            {
                previous[next[left]] = left;
            }

            Enqueue(queue, ids, previous[left], left);
            Enqueue(queue, ids, left, next[left]);
        }

        symbols.RemoveAll(id => id == None);
    }

    // Ordered by rank, then by place.
    private void Enqueue(PriorityQueue<int, long> queue, ReadOnlySpan<int> ids, int left, int right)
    {
        if (left != None && right != None && _pairs.TryGetValue((ids[left], ids[right]), out var pair))
        {
            queue.Enqueue(pair.Merged, ((long)pair.Rank << 32) | (uint)left);
        }
    }
}
