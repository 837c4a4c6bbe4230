using System.Security.Cryptography;
using ArmAes = System.Runtime.Intrinsics.Arm.Aes;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace LoraFhe.Cryptography.Client;

/// <summary>Many independent byte streams under one 256-bit key: AES-256 in counter mode, or ChaCha20 where the processor has no AES instructions.</summary>
/// <remarks>Table-based AES would leak through the cache, so it is never used. One instance serves one thread at a time.</remarks>
internal abstract class SecretStream : IDisposable
{
    /// <summary>Streams are read in whole blocks of this many bytes: one block of ChaCha20, four of AES.</summary>
    public const int BlockSize = 64;

    /// <summary>Whether AES runs in constant time on this processor.</summary>
    public static bool HasAesInstructions => X86Aes.IsSupported || ArmAes.IsSupported;

    /// <summary>The stream of this processor.</summary>
    /// <param name="key">32 bytes; copied.</param>
    /// <exception cref="PlatformNotSupportedException">There is neither.</exception>
    public static SecretStream Create(ReadOnlySpan<byte> key)
    {
        if (InstructionAes.IsSupported)
        {
            return new InstructionAesSecretStream(key);
        }

        if (HasAesInstructions)
        {
            return new AesSecretStream(key);
        }

        return ChaCha20Poly1305.IsSupported ? new ChaChaSecretStream(key) : throw Errors.NoCipher();
    }

    /// <summary>Reads part of one stream.</summary>
    /// <param name="stream">Which stream.</param>
    /// <param name="firstBlock">The first block of <see cref="BlockSize"/> bytes.</param>
    /// <param name="destination">A pinned array.</param>
    /// <param name="count">Whole blocks: a multiple of <see cref="BlockSize"/>.</param>
    public abstract void Fill(uint stream, uint firstBlock, byte[] destination, int count);

    /// <summary>Zeroes the key.</summary>
    public abstract void Dispose();
}
