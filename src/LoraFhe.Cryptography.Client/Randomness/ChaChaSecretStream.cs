using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Client;

/// <summary>ChaCha20 as a key stream, through the system's ChaCha20-Poly1305 over zeros.</summary>
/// <remarks>
/// Byte i of a stream: pieces of <see cref="PieceBlocks"/> blocks, each the key stream under the nonce stream ‖ piece ‖ 0 (32-bit little-endian), from block 1 on (block 0 keys Poly1305,
/// whose tag is thrown away). Source: RFC 8439.
/// </remarks>
internal sealed class ChaChaSecretStream : SecretStream
{
    /// <summary>Blocks under one nonce: a read may begin at any multiple of it.</summary>
    public const int PieceBlocks = 21;

    private const int PieceBytes = PieceBlocks * BlockSize;

    private readonly ChaCha20Poly1305 _cipher;

    /// <summary>Takes a key; it is copied.</summary>
    public ChaChaSecretStream(ReadOnlySpan<byte> key) => _cipher = new ChaCha20Poly1305(key);

    /// <inheritdoc/>
    public override void Fill(uint stream, uint firstBlock, byte[] destination, int count)
    {
        Debug.Assert(count % BlockSize == 0 && firstBlock % PieceBlocks == 0);
        Span<byte> nonce = stackalloc byte[RowTags.NonceSize];
        Span<byte> tag = stackalloc byte[RowTags.TagSize];
        nonce.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(nonce, stream);
        var piece = firstBlock / PieceBlocks;
        for (var start = 0; start < count; start += PieceBytes, piece++)
        {
            var bytes = destination.AsSpan(start, Math.Min(PieceBytes, count - start));
            bytes.Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(nonce[sizeof(uint)..], piece);
            _cipher.Encrypt(nonce, bytes, bytes, tag);
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => _cipher.Dispose();
}
