namespace LoraFhe;

/// <summary>What crossed between the two halves, and what each computed.</summary>
public readonly record struct FheTraffic
{
    /// <summary>Encrypted products.</summary>
    public long Calls { get; init; }

    /// <summary>Tokens of all calls together.</summary>
    public long Tokens { get; init; }

    /// <summary>Ring coefficients that the calls' tokens were given: groups of 512, and the rest in the smallest of 64, 128, 256 or 512 that holds
    /// it. The secret half makes a mask for each; those without a token are not sent.</summary>
    public long Coefficients { get; init; }

    /// <summary>What part of the coefficients had no token, 0 to below 1: batches of 512 tokens, or of full rows packed to that, waste none. 0
    /// before the first call.</summary>
    public double PaddingShare => Coefficients == 0 ? 0 : 1 - ((double)Tokens / Coefficients);

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
        Tokens = left.Tokens + right.Tokens,
        Coefficients = left.Coefficients + right.Coefficients,
        BytesUp = left.BytesUp + right.BytesUp,
        BytesDown = left.BytesDown + right.BytesDown,
        ServerMultiplyAdds = left.ServerMultiplyAdds + right.ServerMultiplyAdds,
        ClientMultiplyAdds = left.ClientMultiplyAdds + right.ClientMultiplyAdds,
    };

    /// <summary>What was added since an earlier reading.</summary>
    public static FheTraffic operator -(FheTraffic left, FheTraffic right) => new()
    {
        Calls = left.Calls - right.Calls,
        Tokens = left.Tokens - right.Tokens,
        Coefficients = left.Coefficients - right.Coefficients,
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
