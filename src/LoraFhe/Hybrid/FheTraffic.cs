namespace LoraFhe;

/// <summary>What crossed between the two halves, and what each computed.</summary>
public readonly record struct FheTraffic
{
    /// <summary>Encrypted products.</summary>
    public long Calls { get; init; }

    /// <summary>Bytes of requests, headers included: from the data's owner to the holder of the weights.</summary>
    public long BytesUp { get; init; }

    /// <summary>Bytes of responses, headers included.</summary>
    public long BytesDown { get; init; }

    /// <summary>Multiply-adds of the evaluating half: tokens · inputs · outputs of each call.</summary>
    public long ServerMultiplyAdds { get; init; }

    /// <summary>
    /// Multiply-adds of the secret half: for each scalar that is masked or unmasked, the k = N/r of the inner product with s and the
    /// log₂(r)/2 butterflies of its share of a transform.
    /// </summary>
    public double ClientMultiplyAdds { get; init; }

    /// <summary>The secret half's part of all multiply-adds, 0 to 1; 0 before the first call.</summary>
    public double ClientShare => ServerMultiplyAdds == 0 ? 0 : ClientMultiplyAdds / (ClientMultiplyAdds + ServerMultiplyAdds);

    /// <summary>The sum of two counts.</summary>
    public static FheTraffic operator +(FheTraffic left, FheTraffic right) => new()
    {
        Calls = left.Calls + right.Calls,
        BytesUp = left.BytesUp + right.BytesUp,
        BytesDown = left.BytesDown + right.BytesDown,
        ServerMultiplyAdds = left.ServerMultiplyAdds + right.ServerMultiplyAdds,
        ClientMultiplyAdds = left.ClientMultiplyAdds + right.ClientMultiplyAdds,
    };

    /// <summary>What was added since an earlier reading.</summary>
    public static FheTraffic operator -(FheTraffic left, FheTraffic right) => new()
    {
        Calls = left.Calls - right.Calls,
        BytesUp = left.BytesUp - right.BytesUp,
        BytesDown = left.BytesDown - right.BytesDown,
        ServerMultiplyAdds = left.ServerMultiplyAdds - right.ServerMultiplyAdds,
        ClientMultiplyAdds = left.ClientMultiplyAdds - right.ClientMultiplyAdds,
    };

    /// <summary>The same as the operator +.</summary>
    /// <param name="left">One count.</param>
    /// <param name="right">The other.</param>
    public static FheTraffic Add(FheTraffic left, FheTraffic right) => left + right;

    /// <summary>The same as the operator −.</summary>
    /// <param name="left">The later count.</param>
    /// <param name="right">The earlier.</param>
    public static FheTraffic Subtract(FheTraffic left, FheTraffic right) => left - right;
}
