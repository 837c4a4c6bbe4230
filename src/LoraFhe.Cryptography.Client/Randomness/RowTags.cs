using System.Buffers.Binary;
using System.Diagnostics;
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

    /// <summary>Draws the key and nonce of one call.</summary>
    public RowTags(SecretSource source) => source.DrawTagKey(_key);

    /// <summary>Rows of a stretch: a function of the shape alone.</summary>
    public static int StretchRows(int features) => (int)Math.Max(1, StretchBytes / ((long)sizeof(float) * features));

    /// <summary>Tags one stretch.</summary>
    public void Compute(int stretch, ReadOnlySpan<byte> rows, Span<byte> tag)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        _key.AsSpan(KeyDerivation.KeySize).CopyTo(nonce);
        BinaryPrimitives.WriteInt32LittleEndian(nonce, BinaryPrimitives.ReadInt32LittleEndian(nonce) ^ stretch);
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
    public void Dispose() => CryptographicOperations.ZeroMemory(_key);
}
