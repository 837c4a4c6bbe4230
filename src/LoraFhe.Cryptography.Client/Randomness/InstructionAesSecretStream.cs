using System.Diagnostics;
using System.Runtime.Intrinsics;

namespace LoraFhe.Cryptography.Client;

/// <summary>The bytes of <see cref="AesSecretStream"/> by <see cref="InstructionAes"/>.</summary>
internal sealed unsafe class InstructionAesSecretStream : SecretStream
{
    private readonly InstructionAes _aes;

    /// <summary>Takes a key; it is expanded.</summary>
    public InstructionAesSecretStream(ReadOnlySpan<byte> key) => _aes = new InstructionAes(key);

    /// <inheritdoc/>
    public override void Fill(uint stream, uint firstBlock, byte[] destination, int count)
    {
        Debug.Assert(count % BlockSize == 0 && count <= destination.Length);
        fixed (byte* bytes = destination)
        {
            _aes.EncryptCounters(Vector128.Create((ulong)firstBlock * (BlockSize / InstructionAes.BlockSize), stream), bytes, count / InstructionAes.BlockSize);
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => _aes.Dispose();
}
