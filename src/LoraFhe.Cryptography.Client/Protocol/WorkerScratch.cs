using System.Diagnostics;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Client;

/// <summary>One thread's room while it encrypts or decrypts: masks, errors, random bytes, a padded last block, sums of the check. All of it is zeroed after the call.</summary>
internal sealed unsafe class WorkerScratch : IDisposable
{
    /// <summary>Tokens whose errors' random bytes are drawn at a time.</summary>
    public const int RandomTokens = 128;

    /// <summary>Bytes of <see cref="Random"/>.</summary>
    public const int RandomBytes = RandomTokens * FeatureBlocks.Width / CenteredBinomial.Batch * CenteredBinomial.ErrorBatchBytes;

    private const int MaxTokens = EncryptedLinearParameters.MaxRingDegree;
    private const int BlockBytes = MaxTokens * FeatureBlocks.Width * sizeof(uint);
    private const int WordsOffset = BlockBytes;
    private const int RowsOffset = 2 * BlockBytes;
    private const int ErrorsOffset = 3 * BlockBytes;
    private const int SumsOffset = ErrorsOffset + (MaxTokens * FeatureBlocks.Width);

    private readonly SecretMemory _memory = new(SumsOffset + (ResponseVerifier.FeatureSums * sizeof(long)));

    /// <summary>The mask [512·16].</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public uint* Mask => (uint*)_memory.Pointer;

    /// <summary>A last block's words, padded to 16 features: [512][16].</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public int* Words => (int*)(_memory.Pointer + WordsOffset);

    /// <summary>A last block's rows, padded to 16 features: [512][16].</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public float* Rows => (float*)(_memory.Pointer + RowsOffset);

    /// <summary>Errors [512][16].</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public sbyte* Errors => (sbyte*)(_memory.Pointer + ErrorsOffset);

    /// <summary>One block's sums for the check.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public long* FeatureSums => (long*)(_memory.Pointer + SumsOffset);

    /// <summary>Random bytes, pinned: the system's cipher writes arrays only.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public byte[] Random { get; } = GC.AllocateUninitializedArray<byte>(RandomBytes, pinned: true);

    /// <summary>Zeroes everything.</summary>
    public void Erase()
    {
        CryptographicOperations.ZeroMemory(Random);
        _memory.Erase();
    }

    /// <summary>Zeroes and frees everything.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(Random);
        _memory.Dispose();
    }
}
