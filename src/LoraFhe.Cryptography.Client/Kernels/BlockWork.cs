namespace LoraFhe.Cryptography.Client;

/// <summary>One group's tokens in one block of 16 features: what a kernel encrypts or decrypts at a time. Pointers only; the caller owns all memory.</summary>
internal unsafe struct BlockWork
{
    /// <summary>A's or H's block [1536][16], words below q.</summary>
    public uint* Matrix;

    /// <summary>The block of A or H that this thread works on next: fetched, in the order of memory, while this one is multiplied. Any address.</summary>
    public uint* NextMatrix;

    /// <summary>The secret's values, times 2³²/r: [1536], below q.</summary>
    public uint* Factors;

    /// <summary>r.</summary>
    public int Degree;

    /// <summary>Tokens of the group.</summary>
    public int Tokens;

    /// <summary>Words on their way [tokens][16], in ±(q−1)/2: written by encryption, read by decryption.</summary>
    public int* Words;

    /// <summary>⟨h, s⟩ where it was made ahead [tokens][16], in ±(q−1)/2.</summary>
    public int* Masks;

    /// <summary>Rows in clear, token t's 16 features at t·<see cref="RowStride"/>: read by encryption, written by decryption.</summary>
    public float* Rows;

    /// <summary>Floats from one token's features to the next token's.</summary>
    public long RowStride;

    /// <summary>Encryption multiplies by S_t, decryption by 1/S_t: [tokens].</summary>
    public double* TokenScales;

    /// <summary>The block's 16 channel factors.</summary>
    public double* Channels;

    /// <summary>Errors [tokens, rounded up to 16][16]; encryption only.</summary>
    public sbyte* Errors;

    /// <summary>The check's weights of the tokens [tokens][<see cref="ResponseVerifier.TokenStride"/>], |weight| ≤ 2²⁰.</summary>
    public int* TokenWeights;

    /// <summary>Written: Σ_t weight_t · plaintext_t of each feature, [vectors][2][8], features of even places before those of odd.</summary>
    public long* FeatureSums;

    /// <summary>Room for the mask: [512·16] words.</summary>
    public uint* Scratch;
}
