using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace LoraFhe.Cryptography.Client;

/// <summary>Chosen randomness, for tests only: the same seed, layer and rows give the same ciphertext. Other rows have other secrets, for their tags differ; the same rows under another norm or other weights do not: give each such layer its own seed.</summary>
internal sealed class InsecureTestRandomness : SecretSource
{
    private readonly byte[] _seed;
    private long _ahead;

    /// <summary>Takes a seed.</summary>
    public InsecureTestRandomness(ulong seed)
    {
        _seed = new byte[KeyDerivation.KeySize];
        BinaryPrimitives.WriteUInt64LittleEndian(_seed, seed);
    }

    /// <inheritdoc/>
    public override void DrawTagKey(Span<byte> destination)
    {
        Span<byte> digest = stackalloc byte[SHA512.HashSizeInBytes];
        HMACSHA512.HashData(_seed, "insecure tag"u8, digest);
        digest[..destination.Length].CopyTo(destination);
    }

    /// <inheritdoc/>
    public override void DrawRoot(LayerId layer, ReadOnlySpan<byte> tags, Span<byte> root) => Derive("insecure root"u8, layer, tags, root);

    /// <inheritdoc/>
    /// <remarks>There are no rows yet: a number makes each root differ from the one before.</remarks>
    public override void DrawRootAhead(LayerId layer, Span<byte> root)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(number, Interlocked.Increment(ref _ahead));
        Derive("insecure root ahead"u8, layer, number, root);
    }

    /// <inheritdoc/>
    public override void DrawVerifierKey(LayerId layer, Span<byte> key) => Derive("insecure verifier"u8, layer, [], key);

    private void Derive(ReadOnlySpan<byte> label, LayerId layer, ReadOnlySpan<byte> tags, Span<byte> destination)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _seed);
        mac.AppendData(label);
        mac.AppendData(Encoding.UTF8.GetBytes(layer.Name));
        mac.AppendData([(byte)layer.Direction]);
        mac.AppendData(tags);
        mac.GetHashAndReset(destination);
    }
}
