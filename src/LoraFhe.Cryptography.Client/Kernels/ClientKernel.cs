namespace LoraFhe.Cryptography.Client;

/// <summary>The inner loops of the client, over one block of 16 features: the mask ⟨a, s⟩ or ⟨h, s⟩ with what is added to or taken from it.</summary>
/// <remarks>Stateless and safe for use by several threads. All implementations give equal bits.</remarks>
internal abstract unsafe class ClientKernel
{
    /// <summary>|x̂| never exceeds this.</summary>
    public const double ClampBound = EncryptedLinearParameters.HalfModulus - EncryptedLinearParameters.ErrorEta;

    /// <summary>The name in reports.</summary>
    public abstract string Name { get; }

    /// <summary>words = ⟨a, s⟩ + e + x̂, centered; sums over x̂ + e.</summary>
    public abstract void Encrypt(in BlockWork work);

    /// <summary>rows = (words − ⟨h, s⟩, centered)/S_t·channel; sums over words − ⟨h, s⟩.</summary>
    public abstract void Decrypt(in BlockWork work);

    /// <summary>One polynomial's coefficients to values, in place, words below q.</summary>
    public abstract void Transform(uint* values, int degree);
}
