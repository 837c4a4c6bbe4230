namespace LoraFhe.Cryptography;

/// <summary>The innermost loop of the integer product: two tokens by some vectors of outputs, all of whose sums stay in registers.</summary>
/// <remarks>What fits and in which order instructions flow best differs with the number of registers; the sums do not.</remarks>
/// <typeparam name="TVector">One register of the machine.</typeparam>
internal unsafe interface IRegisterTile<TVector>
    where TVector : unmanaged, IIntegerVector<TVector>
{
    /// <summary>Tokens of every tile.</summary>
    const int Tokens = 2;

    /// <summary>Vectors of outputs.</summary>
    static abstract int Vectors { get; }

    /// <summary>Sums over a block of inputs.</summary>
    /// <param name="first">A token's limbs, [pairs][low pair, high pair].</param>
    /// <param name="second">Another token's, or the same.</param>
    /// <param name="weights">[pairs][<see cref="Vectors"/>][lanes][2], int16.</param>
    /// <param name="pairs">Pairs of inputs, at least 1; Σ|weight| of an output within <see cref="KernelBlocks.MaxAbsoluteSum"/>.</param>
    /// <param name="sums">Written: [<see cref="Tokens"/>][low, high][<see cref="Vectors"/>], every lane within (−q, q).</param>
    static abstract void Multiply(int* first, int* second, short* weights, int pairs, TVector* sums);
}
