using System.Security.Cryptography;

namespace LoraFhe.Cryptography;

/// <summary>The 32 bytes both sides expand to the same public matrix A. Public, but chosen by the client: fresh for each client and
/// model.</summary>
/// <remarks>Immutable and safe for use by several threads. A itself is never sent or accepted, only this seed. Source: docs/scheme.md,
/// Seed.</remarks>
public sealed class PublicMatrixSeed
{
    /// <summary>Bytes of a seed.</summary>
    public const int Size = 32;

    private readonly byte[] _bytes;
    private readonly byte[] _hash;

    private PublicMatrixSeed(byte[] bytes)
    {
        _bytes = bytes;
        _hash = SHA256.HashData(bytes);
    }

    /// <summary>The seed.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>SHA-256 of the seed: 32 bytes.</summary>
    public ReadOnlySpan<byte> Hash => _hash;

    /// <summary>Draws a fresh seed from the system's generator.</summary>
    public static PublicMatrixSeed Generate() => new(RandomNumberGenerator.GetBytes(Size));

    /// <summary>Takes a seed that was made before.</summary>
    /// <param name="bytes">Exactly <see cref="Size"/> bytes; copied.</param>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> has another length.</exception>
    public static PublicMatrixSeed FromBytes(ReadOnlySpan<byte> bytes) =>
        bytes.Length == Size ? new(bytes.ToArray()) : throw Errors.SeedSize(bytes.Length, nameof(bytes));
}
