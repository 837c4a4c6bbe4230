namespace LoraFhe;

/// <summary>
/// Training data whose order depends on a seed and the epoch's number alone, and on nothing that happened before. This is what makes a
/// resumed run see the same batches as an uninterrupted one.
/// </summary>
/// <remarks>Each enumeration makes its batches anew, for the consumer, who disposes of them.</remarks>
public interface IEpochLoader : IEnumerable<Batch>
{
    /// <summary>Batches in an epoch; null if that is not known.</summary>
    int? Count { get; }

    /// <summary>Chooses the epoch whose order the next enumeration has.</summary>
    /// <param name="epoch">Counted from 1.</param>
    void SetEpoch(int epoch);
}
