using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>An embedding as a frozen layer: row i of its table is the product of the i-th one-hot row with a weight of V inputs and D outputs.</summary>
internal static class FrozenEmbedding
{
    // Longer than a limit on norms that anybody would set, and a number in each type.
    private const double LongestHalf = 65504;
    private const double Longest = 1e30;

    /// <summary>The table, [V, D], another object at each call. Not the registered parameter: of an embedding made from a given table, that is
    /// one which no lookup reads.</summary>
    public static Parameter Table(Embedding embedding) => embedding.weight!;

    /// <summary>Whether looking a row up shortens it to a longest norm, which a product does not do.</summary>
    /// <remarks>TorchSharp does not show the option, but a lookup does: a row longer than any limit comes back as it is, or does not.</remarks>
    public static bool HasMaxNorm(Embedding embedding)
    {
        using var noGraph = no_grad();
        using var scope = NewDisposeScope();
        var table = Table(embedding);
        if (table.numel() == 0)
        {
            return false;
        }

        var row = table[0];
        var kept = row.clone();
        try
        {
            row.zero_();
            row[0].fill_(table.dtype == ScalarType.Float16 ? LongestHalf : Longest);
            var longest = row.clone();
            return !embedding.forward(zeros([1], ScalarType.Int64, table.device))[0].eq(longest).all().item<bool>();
        }
        finally
        {
            row.copy_(kept);
        }
    }

    /// <summary>Ids as the products take them: int64, of the shape and device they were.</summary>
    /// <param name="ids">Any shape.</param>
    /// <param name="rows">V.</param>
    /// <param name="layer">The layer's name, for the text.</param>
    /// <exception cref="ArgumentException">They are no integers, or one has no row. The text does not say which: ids are as private as text.</exception>
    public static Tensor Ids(Tensor ids, long rows, string layer)
    {
        if (ids.dtype is not (ScalarType.Int64 or ScalarType.Int32 or ScalarType.Int16 or ScalarType.Int8 or ScalarType.Byte))
        {
            throw new ArgumentException(Errors.EmbeddingIdType(layer, ids.dtype.ToString(), rows), nameof(ids));
        }

        var whole = ids.dtype == ScalarType.Int64 ? ids.alias() : ids.to_type(ScalarType.Int64);
        if (whole.numel() > 0)
        {
            using var scope = NewDisposeScope();
            if (whole.min().item<long>() < 0 || whole.max().item<long>() >= rows)
            {
                throw new ArgumentException(Errors.EmbeddingIdRange(layer, rows), nameof(ids));
            }
        }

        return whole;
    }

    /// <summary>One-hot rows, float32 [n, V], of int64 ids [n] on the CPU.</summary>
    public static Tensor OneHot(Tensor ids, long rows) => zeros(ids.shape[0], rows).scatter_(1, ids.unsqueeze(1), ones(ids.shape[0], 1));
}
