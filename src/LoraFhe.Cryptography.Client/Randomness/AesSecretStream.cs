using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Client;

/// <summary>AES-256 in counter mode: the same bytes as <see cref="AesCounterStream"/>, with the key schedule kept between calls.</summary>
/// <remarks>Counter blocks are written where the bytes are wanted and encrypted in place. The key lives in the system's cipher, which clears it when disposed.</remarks>
internal sealed class AesSecretStream : SecretStream
{
    private readonly Aes _aes;
    private readonly ICryptoTransform _cipher;

    /// <summary>Takes a key; it is copied.</summary>
    public AesSecretStream(ReadOnlySpan<byte> key)
    {
        _aes = Aes.Create();
        _aes.SetKey(key);
        _aes.Mode = CipherMode.ECB;
        _aes.Padding = PaddingMode.None;
        _cipher = _aes.CreateEncryptor();
    }

    /// <inheritdoc/>
    public override void Fill(uint stream, uint firstBlock, byte[] destination, int count)
    {
        Debug.Assert(count % BlockSize == 0);
        var counters = MemoryMarshal.Cast<byte, Vector128<ulong>>(destination.AsSpan(0, count));
        var counter = Vector128.Create((ulong)firstBlock * (BlockSize / AesCounterStream.BlockSize), stream);
        var one = Vector128.Create(1UL, 0);
        for (var i = 0; i < counters.Length; i++)
        {
            counters[i] = counter;
            counter += one;
        }

        _cipher.TransformBlock(destination, 0, count, destination, 0);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _cipher.Dispose();
        _aes.Dispose();
    }
}
