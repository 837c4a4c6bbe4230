namespace LoraFhe.Cryptography;

/// <summary>A vector of 32-bit lanes of any width: all that the driver of the integer product asks of a machine.</summary>
/// <remarks>An implementation is a struct around one register; every member is inlined into the driver's loops. One operation means the
/// same in each: the contract
/// tests run over all of them, against scalar forms.</remarks>
/// <typeparam name="TVector">The implementing struct.</typeparam>
internal unsafe interface IIntegerVector<TVector>
    where TVector : unmanaged, IIntegerVector<TVector>
{
    /// <summary>32-bit lanes: a divisor of 16.</summary>
    static abstract int Lanes { get; }

    /// <summary>All lanes zero.</summary>
    static abstract TVector Zero { get; }

    /// <summary>One value in all lanes.</summary>
    static abstract TVector Broadcast(int value);

    /// <summary>Reads the lanes from memory of any alignment.</summary>
    static abstract TVector Load(void* source);

    /// <summary>Writes the lanes to memory of any alignment.</summary>
    static abstract void Store(TVector vector, void* destination);

    /// <summary>a₀·b₀ + a₁·b₁ in each lane, a₀ and a₁ (b₀ and b₁) being the lane's signed 16-bit halves; modulo 2³².</summary>
    static abstract TVector MultiplyPairs(TVector a, TVector b);

    /// <summary>a + b modulo 2³².</summary>
    static abstract TVector Add(TVector a, TVector b);

    /// <summary>Splits words into balanced limbs, word = low + 65536·high with low in [−2¹⁵, 2¹⁵), and gathers those of two neighboring
    /// words:
    /// lanes (w₀, w₁) become (low₀ | low₁·2¹⁶, high₀ | high₁·2¹⁶) as 16-bit halves. Right for |word| ≤ (q−1)/2.</summary>
    static abstract TVector SplitLimbs(TVector words);

    /// <summary>From low = Σw·low and high = Σw·high, the sum low + 65536·high modulo q in [0, q). Right for |low| &lt; q and |high| ≤
    /// 22794·2¹⁵.</summary>
    static abstract TVector Recombine(TVector low, TVector high);

    /// <summary>a + b modulo q; both and the result in [0, q).</summary>
    static abstract TVector AddModular(TVector a, TVector b);

    /// <summary>From [0, q) to ±(q−1)/2.</summary>
    static abstract TVector Center(TVector a);
}
