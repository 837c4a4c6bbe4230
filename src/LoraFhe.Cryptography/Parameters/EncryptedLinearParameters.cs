namespace LoraFhe.Cryptography;

/// <summary>The one parameter set of the encrypted linear layer. There is no weaker one to choose.</summary>
/// <remarks>Module learning with errors over Z_q[X]/(X^r + 1), rank <see cref="SecretDimension"/>/r. Estimates and claims: docs/scheme.md,
/// Parameters.</remarks>
public static class EncryptedLinearParameters
{
    /// <summary>q: prime, 2³¹ − 94207, and 1 modulo 4096, so that transforms of every ring degree in use exist.</summary>
    public const uint Modulus = 2147389441;

    /// <summary>(q − 1)/2: a word on the wire lies within ± this.</summary>
    public const int HalfModulus = 1073694720;

    /// <summary>N: coefficients of one one-time secret, over all ring elements together.</summary>
    public const int SecretDimension = 1536;

    /// <summary>η of the secret's centered binomial distribution: coefficients within ±2.</summary>
    public const int SecretEta = 2;

    /// <summary>η of the error's centered binomial distribution: errors within ±21, variance 10.5.</summary>
    public const int ErrorEta = 21;

    /// <summary>The smallest ring degree r.</summary>
    public const int MinRingDegree = 64;

    /// <summary>The largest ring degree r.</summary>
    public const int MaxRingDegree = 512;

    /// <summary>The fewest bits of a weight's code, sign included.</summary>
    public const int MinBits = 8;

    /// <summary>The most bits of a weight's code, sign included.</summary>
    public const int MaxBits = 12;

    /// <summary>What enters every hash that depends on the parameters: q, N, η of the secret and of the error, 32 bits each,
    /// little-endian.</summary>
    public static ReadOnlySpan<byte> Id =>
    [
        (byte)(Modulus & 0xff), (byte)((Modulus >> 8) & 0xff), (byte)((Modulus >> 16) & 0xff), (byte)(Modulus >> 24),
        SecretDimension & 0xff, SecretDimension >> 8, 0, 0,
        SecretEta, 0, 0, 0,
        ErrorEta, 0, 0, 0,
    ];
}
