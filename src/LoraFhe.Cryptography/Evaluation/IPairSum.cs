namespace LoraFhe.Cryptography;

/// <summary>The step that the innermost loops are made of: a pair of products added to a sum. Some machines have one instruction for
/// it.</summary>
/// <typeparam name="TVector">One register of the machine.</typeparam>
internal interface IPairSum<TVector>
    where TVector : unmanaged, IIntegerVector<TVector>
{
    /// <summary>sum + a₀·b₀ + a₁·b₁ in each lane, modulo 2³²; see <see cref="IIntegerVector{TVector}.MultiplyPairs"/>.</summary>
    static abstract TVector Add(TVector sum, TVector a, TVector b);
}
