namespace LoraFhe;

/// <summary>What of a frozen layer a <see cref="RemoteModule"/> computes.</summary>
internal enum FrozenPart
{
    /// <summary>Both products of a linear layer, the second through the graph.</summary>
    Layer,

    /// <summary>The forward half of a <see cref="CustomLinear"/>.</summary>
    Forward,

    /// <summary>Its backward half.</summary>
    Backward,

    /// <summary>The rows of an embedding: the forward product of one-hot rows.</summary>
    Embedding,

    /// <summary>None that is known here: the module computes in clear only.</summary>
    Unknown,
}
