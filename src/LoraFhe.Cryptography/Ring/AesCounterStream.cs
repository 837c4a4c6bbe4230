using System.Buffers.Binary;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography;

/// <summary>AES-256 in counter mode as a generator of many independent byte streams under one key.</summary>
/// <remarks>
/// Block b of stream t is AES-256 of the 16 bytes b ‖ t, both 64-bit little-endian. The key lives in the system's cipher, which clears it
/// when disposed; the last bytes given stay in a managed array, so nothing secret is drawn from here.
/// One instance serves one thread at a time. Source: NIST SP 800-38A, section 6.5, with this counter block.
/// </remarks>
internal sealed class AesCounterStream : IDisposable
{
    /// <summary>Bytes of a key.</summary>
    public const int KeySize = 32;

    /// <summary>Bytes of a block.</summary>
    public const int BlockSize = 16;

    private const int BatchBlocks = 512;

    private readonly Aes _aes;
    private readonly ICryptoTransform _cipher;
    private readonly byte[] _blocks = new byte[BatchBlocks * BlockSize];

    /// <summary>Takes a key; it is copied.</summary>
    /// <exception cref="ArgumentException"><paramref name="key"/> is not <see cref="KeySize"/> bytes.</exception>
    public AesCounterStream(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeySize)
        {
            throw Errors.KeySize(key.Length, nameof(key));
        }

        _aes = Aes.Create();
        _aes.SetKey(key);
        _aes.Mode = CipherMode.ECB;
        _aes.Padding = PaddingMode.None;
        _cipher = _aes.CreateEncryptor();
    }

    /// <summary>Writes part of one stream.</summary>
    /// <param name="stream">Which stream, the counter block's upper 64 bits.</param>
    /// <param name="firstBlock">The first block, the counter block's lower 64 bits.</param>
    /// <param name="destination">Whole blocks: a multiple of <see cref="BlockSize"/> bytes.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is not whole blocks.</exception>
    public void Fill(ulong stream, ulong firstBlock, Span<byte> destination)
    {
        if (destination.Length % BlockSize != 0)
        {
            throw Errors.WholeBlocks(destination.Length, nameof(destination));
        }

        while (!destination.IsEmpty)
        {
            var blocks = Math.Min(destination.Length / BlockSize, BatchBlocks);
            var counters = _blocks.AsSpan(0, blocks * BlockSize);
            for (var b = 0; b < blocks; b++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(counters[(b * BlockSize)..], firstBlock + (ulong)b);
                BinaryPrimitives.WriteUInt64LittleEndian(counters[((b * BlockSize) + 8)..], stream);
            }

            // One transform, its key schedule kept, over the array in place: faster than EncryptEcb into the span, copying included.
            _cipher.TransformBlock(_blocks, 0, counters.Length, _blocks, 0);
            counters.CopyTo(destination);
            destination = destination[counters.Length..];
            firstBlock += (ulong)blocks;
        }
    }

    /// <summary>Clears the key.</summary>
    public void Dispose()
    {
        _cipher.Dispose();
        _aes.Dispose();
    }
}
