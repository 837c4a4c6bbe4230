namespace LoraFhe.Models;

/// <summary>One row of a text dataset, not yet padded.</summary>
/// <param name="InputIds">Token ids.</param>
/// <param name="Labels">As many labels as ids: the id itself, or -100 where it is not to be predicted. The model shifts them.</param>
public readonly record struct TextExample(ReadOnlyMemory<int> InputIds, ReadOnlyMemory<int> Labels)
{
    /// <summary>As many positions as ids, where the row is several packed ones: each begins at 0. Empty for a row of its own.</summary>
    public ReadOnlyMemory<int> PositionIds { get; init; }
}
