using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Client;

/// <summary>A keyed tag of each stretch of a call's rows: GMAC, or Poly1305 where the processor has no AES instructions.</summary>
/// <remarks>Tags need not hide or authenticate anything: they only make the keys of two calls differ if all randomness repeats but the rows do not. Safe for use by several threads.</remarks>
internal sealed class RowTags : IDisposable
{
    /// <summary>Bytes of a nonce.</summary>
    public const int NonceSize = 12;

    /// <summary>Bytes of a tag.</summary>
    public const int TagSize = 16;

    // A stretch stays in a core's second-level cache, where the norms were just computed from it.
    private const int StretchBytes = 128 * 1024;

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly byte[] _key = GC.AllocateUninitializedArray<byte>(SecretSource.TagKeySize, pinned: true);

    private readonly InstructionAes? _aes;
    private readonly GaloisHash? _hash;

    /// <summary>Draws the key and nonce of one call.</summary>
    public RowTags(SecretSource source)
    {
        source.DrawTagKey(_key);
        if (InstructionAes.IsSupported && GaloisHash.IsSupported)
        {
            _aes = new InstructionAes(_key.AsSpan(0, KeyDerivation.KeySize));
            _hash = new GaloisHash(_aes.Encrypt(Vector128<byte>.Zero));
        }
    }

    /// <summary>Rows of a stretch: a function of the shape alone.</summary>
    public static int StretchRows(int features) => (int)Math.Max(1, StretchBytes / ((long)sizeof(float) * features));

    /// <summary>Tags one stretch.</summary>
    public void Compute(int stretch, ReadOnlySpan<byte> rows, Span<byte> tag)
    {
        Span<byte> counter = stackalloc byte[NonceSize + sizeof(int)];
        _key.AsSpan(KeyDerivation.KeySize).CopyTo(counter);
        BinaryPrimitives.WriteInt32LittleEndian(counter, BinaryPrimitives.ReadInt32LittleEndian(counter) ^ stretch);
        if (_aes is not null && _hash is not null)
        {
            BinaryPrimitives.WriteInt32BigEndian(counter[NonceSize..], 1);
            (_hash.Compute(rows) ^ _aes.Encrypt(Vector128.Create<byte>(counter))).CopyTo(tag);
            return;
        }

        ComputeBySystem(counter[..NonceSize], rows, tag);
    }

    /// <summary>The same by the system's ciphers.</summary>
    private void ComputeBySystem(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> rows, Span<byte> tag)
    {
        var key = _key.AsSpan(0, KeyDerivation.KeySize);
        if (SecretStream.HasAesInstructions)
        {
            using var gcm = new AesGcm(key, TagSize);
            gcm.Encrypt(nonce, [], [], tag, rows);
        }
        else
        {
            using var poly = new ChaCha20Poly1305(key);
            poly.Encrypt(nonce, [], [], tag, rows);
        }
    }

    /// <summary>Zeroes the key.</summary>
    public void Dispose()
    {
        _aes?.Dispose();
        _hash?.Dispose();
        CryptographicOperations.ZeroMemory(_key);
    }
}
