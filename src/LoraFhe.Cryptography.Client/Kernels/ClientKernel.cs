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

    /// <summary>words = words + x̂, centered, in place, the words being a mask made ahead, ⟨a, s⟩ + e; sums over x̂ alone.</summary>
    public abstract void AddRows(in BlockWork work);

    /// <summary>As <see cref="Decrypt"/>, the mask ⟨h, s⟩ being at <see cref="BlockWork.Masks"/>.</summary>
    public abstract void SubtractMask(in BlockWork work);

    /// <summary>codes = roundEven(clamp(row·channel·scale)): x̂ of one row.</summary>
    public abstract void Encode(float* row, double* channels, double scale, int* codes, int features);

    /// <summary>destination = (float)((x̂ + e)·inverse): what a row's codes stand for.</summary>
    /// <param name="row">Float32 [features].</param>
    /// <param name="channels">Channel factors [features].</param>
    /// <param name="scale">S_t.</param>
    /// <param name="inverse">1/S_t, 0 for a zero row.</param>
    /// <param name="errors">e [features], or null for none.</param>
    /// <param name="destination">Float32 [features].</param>
    /// <param name="features">How many.</param>
    public abstract void Quantize(float* row, double* channels, double scale, double inverse, sbyte* errors, float* destination, int features);

    /// <summary>One polynomial's coefficients to values, in place, words below q.</summary>
    public abstract void Transform(uint* values, int degree);
}
