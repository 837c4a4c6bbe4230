namespace LoraFhe.Cryptography.Client;

/// <summary>One group of a recorded call.</summary>
internal sealed class InsecureTranscriptGroup
{
    /// <summary>Takes both.</summary>
    public InsecureTranscriptGroup(TokenGroup tokens, sbyte[] coefficients) => (Tokens, Coefficients) = (tokens, coefficients);

    /// <summary>Its tokens and ring degree r.</summary>
    public TokenGroup Tokens { get; }

    /// <summary>s: 1536/r polynomials of r coefficients each, one after the other, within ±2. Zeroed once the sink returns: copy or write them.</summary>
    public sbyte[] Coefficients { get; }
}
