using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography;

/// <summary>Two tokens by two vectors, for sixteen registers: eight sums beside two weight vectors, a factor and a product. With three
/// vectors RyuJIT spills.</summary>
/// <typeparam name="TVector">One register of the machine.</typeparam>
internal readonly unsafe struct Tile2x2<TVector> : IRegisterTile<TVector>
    where TVector : unmanaged, IIntegerVector<TVector>
{
    /// <inheritdoc/>
    public static int Tokens => 2;

    /// <inheritdoc/>
    public static int Vectors => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(int* limbs, int stride, short* weights, int pairs, TVector* sums)
    {
        // |weight| summed over a block ≤ 45588 and |limb| ≤ 2¹⁵: no lane leaves (−q, q).
        TVector low00 = TVector.Zero, low01 = TVector.Zero, high00 = TVector.Zero, high01 = TVector.Zero;
        TVector low10 = TVector.Zero, low11 = TVector.Zero, high10 = TVector.Zero, high11 = TVector.Zero;
        int* first = limbs, second = limbs + stride;
        for (var end = first + (2 * pairs); first != end; first += 2)
        {
            var left = TVector.Load(weights);
            var right = TVector.Load(weights + (2 * TVector.Lanes));
            var factor = TVector.Broadcast(first[0]);
            low00 = TVector.Add(low00, TVector.MultiplyPairs(factor, left));
            low01 = TVector.Add(low01, TVector.MultiplyPairs(factor, right));
            factor = TVector.Broadcast(first[1]);
            high00 = TVector.Add(high00, TVector.MultiplyPairs(factor, left));
            high01 = TVector.Add(high01, TVector.MultiplyPairs(factor, right));
            factor = TVector.Broadcast(second[0]);
            low10 = TVector.Add(low10, TVector.MultiplyPairs(factor, left));
            low11 = TVector.Add(low11, TVector.MultiplyPairs(factor, right));
            factor = TVector.Broadcast(second[1]);
            high10 = TVector.Add(high10, TVector.MultiplyPairs(factor, left));
            high11 = TVector.Add(high11, TVector.MultiplyPairs(factor, right));
            weights += 4 * TVector.Lanes;
            second += 2;
        }

        sums[0] = low00;
        sums[1] = low01;
        sums[2] = high00;
        sums[3] = high01;
        sums[4] = low10;
        sums[5] = low11;
        sums[6] = high10;
        sums[7] = high11;
    }
}
