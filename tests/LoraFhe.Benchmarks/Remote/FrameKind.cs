namespace LoraFhe.Benchmarks;

/// <summary>What a frame holds.</summary>
internal enum FrameKind : byte
{
    /// <summary>A layer to serve, from the client; the answer is an empty frame of the same kind.</summary>
    Layer = 1,

    /// <summary>The number of a layer and an encrypted request.</summary>
    Request = 2,

    /// <summary>An encrypted response.</summary>
    Response = 3,

    /// <summary>Why there is none, in words.</summary>
    Fault = 4,
}
