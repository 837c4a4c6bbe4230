namespace LoraFhe.Cryptography;

/// <summary>The innermost loop of the integer product: a few tokens by a few vectors of outputs, all of whose sums stay in
/// registers.</summary>
/// <remarks>What fits and in which order instructions flow best differs with the number of registers; the sums do not.</remarks>
/// <typeparam name="TVector">One register of the machine.</typeparam>
internal unsafe interface IRegisterTile<TVector>
    where TVector : unmanaged, IIntegerVector<TVector>
{
    /// <summary>Tokens.</summary>
    static abstract int Tokens { get; }

    /// <summary>Vectors of outputs.</summary>
    static abstract int Vectors { get; }

    /// <summary>Sums over a block of inputs.</summary>
    /// <param name="limbs">The tokens' limbs, each [pairs][low pair, high pair].</param>
    /// <param name="stride">From one token's limbs to the next's.</param>
    /// <param name="weights">[pairs][<see cref="Vectors"/>][lanes][2], int16.</param>
    /// <param name="pairs">Pairs of inputs, at least 1; Σ|weight| of an output within <see cref="KernelBlocks.MaxAbsoluteSum"/>.</param>
    /// <param name="sums">Written: [<see cref="Tokens"/>][low, high][<see cref="Vectors"/>], every lane within (−q, q).</param>
    static abstract void Multiply(int* limbs, int stride, short* weights, int pairs, TVector* sums);
}
