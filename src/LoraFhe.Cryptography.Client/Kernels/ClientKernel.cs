namespace LoraFhe.Cryptography.Client;

/// <summary>The two inner loops of the client, over one block of 16 features: the mask ⟨a, s⟩ or ⟨h, s⟩ with what is added to or taken from it.</summary>
/// <remarks>Stateless and safe for use by several threads. All implementations give equal bits.</remarks>
internal abstract unsafe class ClientKernel
{
    /// <summary>Vectors of the check while encrypting: t = uᵀW for two u.</summary>
    public const int EncryptVectors = 2;

    /// <summary>Vectors of the check while decrypting: two u in two 16-bit limbs.</summary>
    public const int DecryptVectors = 4;

    /// <summary>Ints of one block's weights of one vector of the check.</summary>
    public const int CheckBlock = 2 * FeatureBlocks.Width;

    /// <summary>The largest |x̂ + e|: the range is capped at 2²³.</summary>
    public const int MaxPlaintext = (1 << 23) + EncryptedLinearParameters.ErrorEta;

    /// <summary>|x̂| never exceeds this.</summary>
    public const double ClampBound = EncryptedLinearParameters.HalfModulus - EncryptedLinearParameters.ErrorEta;

    /// <summary>Blocks whose check sums fit 64 bits: a lane gains at most 16 products of 2³⁰·(2²³ + 21) a block.</summary>
    public const int BlocksPerFold = 32;

    /// <summary>The name in reports.</summary>
    public abstract string Name { get; }

    /// <summary>64-bit sums a token and vector of the check has.</summary>
    public abstract int SumLanes { get; }

    /// <summary>words = ⟨a, s⟩ + e + x̂, centered; check sums += t·(x̂ + e).</summary>
    public abstract void Encrypt(in BlockWork work);

    /// <summary>rows = (words − ⟨h, s⟩, centered)/S_t·channel; check sums += u·(words − ⟨h, s⟩).</summary>
    public abstract void Decrypt(in BlockWork work);
}
