using System.Diagnostics;

namespace LoraFhe.Cryptography.Client;

/// <summary>What one call must never use twice: each group's s, and with it all that decryption needs that is as secret: 1/S_t, the check's token weights and its right side.</summary>
/// <remarks>Three stages, each entered once: made, encrypted with, decrypted with. The memory is zeroed when it is spent or abandoned. It has no text and no view in a debugger.</remarks>
[DebuggerDisplay("{Length} bytes")]
[DebuggerTypeProxy(typeof(Hidden))]
internal sealed unsafe class OneTimeSecret : IDisposable
{
    private const int Dimension = EncryptedLinearParameters.SecretDimension;
    private const int Fresh = 0;
    private const int Encrypted = 1;
    private const int Spent = 2;

    private readonly LayerId _layer;
    private readonly SecretMemoryPool _pool;
    private readonly int _coefficientsOffset;
    private readonly int _scalesOffset;
    private readonly int _residuesOffset;
    private readonly int _weightsOffset;
    private SecretMemory? _memory;
    private int _stage;

    /// <summary>Makes room, zeroed.</summary>
    public OneTimeSecret(LayerId layer, TokenGroup[] groups, int tokens, SecretMemoryPool pool)
    {
        _layer = layer;
        _pool = pool;
        Groups = groups;
        Tokens = tokens;
        _scalesOffset = groups.Length * Dimension * sizeof(uint);
        _residuesOffset = _scalesOffset + (tokens * sizeof(double));
        _weightsOffset = _residuesOffset + CheckResidues.SizeOf(groups.Length);
        _coefficientsOffset = _weightsOffset + (tokens * ResponseVerifier.TokenStride * sizeof(int));
        Length = checked(_coefficientsOffset + (groups.Length * Dimension));
        _memory = pool.Rent(Length);
    }

    /// <summary>Bytes.</summary>
    public int Length { get; }

    /// <summary>How the tokens are cut.</summary>
    public TokenGroup[] Groups { get; }

    /// <summary>Tokens of the call.</summary>
    public int Tokens { get; }

    /// <summary>1/S_t [tokens], 0 for a zero row.</summary>
    public double* InverseScales => (double*)(Pointer + _scalesOffset);

    /// <summary>Σ_t ρ_t·(t·(x̂_t + e_t)) modulo q of each group and vector, [groups][4].</summary>
    public uint* CheckValues => (uint*)(Pointer + _residuesOffset);

    /// <summary>ρ, [tokens][4].</summary>
    public int* TokenWeights => (int*)(Pointer + _weightsOffset);

    private byte* Pointer => (_memory ?? throw Errors.SecretSpent(_layer)).Pointer;

    /// <summary>A group's s in values, times 2³²/r: [1536].</summary>
    public uint* Factors(int group) => (uint*)Pointer + (group * Dimension);

    /// <summary>A group's s in coefficients: [1536].</summary>
    public sbyte* Coefficients(int group) => (sbyte*)(Pointer + _coefficientsOffset + (group * Dimension));

    /// <summary>Enters the second stage.</summary>
    /// <exception cref="InvalidOperationException">The secret was encrypted with before.</exception>
    public void BeginEncryption() => Advance(Fresh, Encrypted);

    /// <summary>Enters the last stage.</summary>
    /// <exception cref="InvalidOperationException">The secret was decrypted with before, or erased.</exception>
    public void BeginDecryption() => Advance(Encrypted, Spent);

    /// <summary>Zeroes the secret. It cannot be used any more.</summary>
    public void Dispose()
    {
        Interlocked.Exchange(ref _stage, Spent);
        if (Interlocked.Exchange(ref _memory, null) is { } memory)
        {
            _pool.Return(memory);
        }
    }

    private void Advance(int from, int to)
    {
        if (Interlocked.CompareExchange(ref _stage, to, from) != from)
        {
            throw Errors.SecretSpent(_layer);
        }
    }

    /// <summary>What a debugger unfolds: nothing.</summary>
    private sealed class Hidden(OneTimeSecret secret)
    {
        /// <summary>Bytes.</summary>
        public int Length => secret.Length;
    }
}
