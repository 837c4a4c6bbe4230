using System.Diagnostics;

namespace LoraFhe.Cryptography.Client;

/// <summary>What one call must never use twice: each group's s, and with it all that decryption needs that is as secret: 1/S_t, the check's token weights and its right side.</summary>
/// <remarks>Three stages, each entered once: made, encrypted with, decrypted with; a mask made ahead stands between the first two. The memory is zeroed when it is spent or abandoned. It has no text and no view in a debugger.</remarks>
[DebuggerDisplay("{Length} bytes")]
[DebuggerTypeProxy(typeof(Hidden))]
internal sealed unsafe class OneTimeSecret : IDisposable
{
    private const int Dimension = EncryptedLinearParameters.SecretDimension;
    private const int Fresh = 0;
    private const int Masking = 1;
    private const int Encrypted = 2;
    private const int Decrypting = 3;
    private const int Spent = 4;

    private readonly LayerId _layer;
    private readonly SecretMemoryPool _pool;
    private readonly int _coefficientsOffset;
    private readonly int _scalesOffset;
    private readonly int _residuesOffset;
    private readonly int _weightsOffset;
    private SecretMemory? _memory;
    private SecretMemory? _answerMasks;
    private int _stage;

    /// <summary>Makes room, zeroed.</summary>
    /// <exception cref="ArgumentOutOfRangeException">So many tokens need more than one piece of memory can hold.</exception>
    public OneTimeSecret(LayerId layer, TokenGroup[] groups, int tokens, SecretMemoryPool pool)
    {
        _layer = layer;
        _pool = pool;
        Groups = groups;
        Tokens = tokens;
        var scales = (long)groups.Length * Dimension * sizeof(uint);
        var residues = scales + ((long)tokens * sizeof(double));
        var weights = residues + CheckResidues.SizeOf(groups.Length);
        var coefficients = weights + ((long)tokens * ResponseVerifier.TokenStride * sizeof(int));
        var length = LengthOf(groups.Length, tokens);
        if (length > Array.MaxLength)
        {
            throw Errors.TooManyTokens(layer, tokens, nameof(tokens));
        }

        (_scalesOffset, _residuesOffset, _weightsOffset, _coefficientsOffset) = ((int)scales, (int)residues, (int)weights, (int)coefficients);
        Length = (int)length;
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

    /// <summary>⟨h, s⟩ where it was made ahead, [⌈outputs/16⌉][tokens][16] in ±(q−1)/2; null where the answer's reader computes it.</summary>
    public int* AnswerMasks => _answerMasks is { } masks ? (int*)masks.Pointer : null;

    private byte* Pointer => (_memory ?? throw Errors.SecretSpent(_layer)).Pointer;

    /// <summary>Bytes of so many groups and tokens.</summary>
    public static long LengthOf(int groups, int tokens) =>
        ((long)groups * Dimension * (sizeof(uint) + sizeof(sbyte))) + CheckResidues.SizeOf(groups)
        + ((long)tokens * (sizeof(double) + (ResponseVerifier.TokenStride * sizeof(int))));

    /// <summary>A group's s in values, times 2³²/r: [1536].</summary>
    public uint* Factors(int group) => (uint*)Pointer + (group * Dimension);

    /// <summary>A group's s in coefficients: [1536].</summary>
    public sbyte* Coefficients(int group) => (sbyte*)(Pointer + _coefficientsOffset + (group * Dimension));

    /// <summary>Enters the second stage.</summary>
    /// <exception cref="InvalidOperationException">The secret was encrypted with before.</exception>
    public void BeginEncryption() => Advance(Fresh, Encrypted);

    /// <summary>Enters the stage between the first two: a mask is made, its rows come later.</summary>
    /// <exception cref="InvalidOperationException">The secret was used before.</exception>
    public void BeginMask() => Advance(Fresh, Masking);

    /// <summary>Enters the second stage from there.</summary>
    /// <exception cref="InvalidOperationException">There is no mask, or its rows came before, or it was erased.</exception>
    public void BeginEncryptionWithMask() => Advance(Masking, Encrypted);

    /// <summary>Takes room for <see cref="AnswerMasks"/>, zeroed: it is zeroed again and freed with the secret.</summary>
    public void AddAnswerMasks(int length) => _answerMasks = new SecretMemory(length);

    /// <summary>Enters the last stage, which ends with <see cref="EndDecryption"/>.</summary>
    /// <exception cref="InvalidOperationException">The secret was decrypted with before, or erased.</exception>
    public void BeginDecryption() => Advance(Encrypted, Decrypting);

    /// <summary>Zeroes the secret after the reading, however that went.</summary>
    public void EndDecryption()
    {
        Interlocked.Exchange(ref _stage, Spent);
        Erase();
    }

    /// <summary>Zeroes the secret, if no answer is being read with it: the reading zeroes it at its end, and until then nobody else may be given its memory.</summary>
    public void Dispose()
    {
        for (var seen = Volatile.Read(ref _stage); seen != Decrypting;)
        {
            var before = Interlocked.CompareExchange(ref _stage, Spent, seen);
            if (before == seen)
            {
                Erase();
                return;
            }

            seen = before;
        }
    }

    private void Erase()
    {
        if (Interlocked.Exchange(ref _memory, null) is { } memory)
        {
            _pool.Return(memory);
        }

        _answerMasks?.Dispose();
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
