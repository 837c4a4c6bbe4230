using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography;

/// <summary>Two tokens by four vectors, for 32 registers: sixteen sums, eight products, four weight vectors and a factor.</summary>
/// <remarks>All products of a token come before their sums. A processor hands out its ports to the oldest instruction that is ready, and
/// additions fit every port, products only some: with each addition behind its product, additions take the ports of products (Zen 4: a
/// sixth slower).</remarks>
/// <typeparam name="TVector">One register of the machine.</typeparam>
internal readonly unsafe struct Tile2x4<TVector> : IRegisterTile<TVector>
    where TVector : unmanaged, IIntegerVector<TVector>
{
    /// <inheritdoc/>
    public static int Tokens => 2;

    /// <inheritdoc/>
    public static int Vectors => 4;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(int* limbs, int stride, short* weights, int pairs, TVector* sums)
    {
        // |weight| summed over a block ≤ 45588 and |limb| ≤ 2¹⁵: no lane leaves (−q, q).
        TVector low00 = TVector.Zero, low01 = TVector.Zero, low02 = TVector.Zero, low03 = TVector.Zero;
        TVector high00 = TVector.Zero, high01 = TVector.Zero, high02 = TVector.Zero, high03 = TVector.Zero;
        TVector low10 = TVector.Zero, low11 = TVector.Zero, low12 = TVector.Zero, low13 = TVector.Zero;
        TVector high10 = TVector.Zero, high11 = TVector.Zero, high12 = TVector.Zero, high13 = TVector.Zero;
        int* first = limbs, second = limbs + stride;
        for (var end = first + (2 * pairs); first != end; first += 2)
        {
            var left = TVector.Load(weights);
            var middleLeft = TVector.Load(weights + (2 * TVector.Lanes));
            var middleRight = TVector.Load(weights + (4 * TVector.Lanes));
            var right = TVector.Load(weights + (6 * TVector.Lanes));
            var factor = TVector.Broadcast(first[0]);
            var lowProduct00 = TVector.MultiplyPairs(factor, left);
            var lowProduct01 = TVector.MultiplyPairs(factor, middleLeft);
            var lowProduct02 = TVector.MultiplyPairs(factor, middleRight);
            var lowProduct03 = TVector.MultiplyPairs(factor, right);
            factor = TVector.Broadcast(first[1]);
            var highProduct00 = TVector.MultiplyPairs(factor, left);
            var highProduct01 = TVector.MultiplyPairs(factor, middleLeft);
            var highProduct02 = TVector.MultiplyPairs(factor, middleRight);
            var highProduct03 = TVector.MultiplyPairs(factor, right);

            low00 = TVector.Add(low00, lowProduct00);
            low01 = TVector.Add(low01, lowProduct01);
            low02 = TVector.Add(low02, lowProduct02);
            low03 = TVector.Add(low03, lowProduct03);
            high00 = TVector.Add(high00, highProduct00);
            high01 = TVector.Add(high01, highProduct01);
            high02 = TVector.Add(high02, highProduct02);
            high03 = TVector.Add(high03, highProduct03);

            factor = TVector.Broadcast(second[0]);
            var lowProduct10 = TVector.MultiplyPairs(factor, left);
            var lowProduct11 = TVector.MultiplyPairs(factor, middleLeft);
            var lowProduct12 = TVector.MultiplyPairs(factor, middleRight);
            var lowProduct13 = TVector.MultiplyPairs(factor, right);
            factor = TVector.Broadcast(second[1]);
            var highProduct10 = TVector.MultiplyPairs(factor, left);
            var highProduct11 = TVector.MultiplyPairs(factor, middleLeft);
            var highProduct12 = TVector.MultiplyPairs(factor, middleRight);
            var highProduct13 = TVector.MultiplyPairs(factor, right);

            low10 = TVector.Add(low10, lowProduct10);
            low11 = TVector.Add(low11, lowProduct11);
            low12 = TVector.Add(low12, lowProduct12);
            low13 = TVector.Add(low13, lowProduct13);
            high10 = TVector.Add(high10, highProduct10);
            high11 = TVector.Add(high11, highProduct11);
            high12 = TVector.Add(high12, highProduct12);
            high13 = TVector.Add(high13, highProduct13);

            weights += 8 * TVector.Lanes;
            second += 2;
        }

        sums[0] = low00;
        sums[1] = low01;
        sums[2] = low02;
        sums[3] = low03;
        sums[4] = high00;
        sums[5] = high01;
        sums[6] = high02;
        sums[7] = high03;
        sums[8] = low10;
        sums[9] = low11;
        sums[10] = low12;
        sums[11] = low13;
        sums[12] = high10;
        sums[13] = high11;
        sums[14] = high12;
        sums[15] = high13;
    }
}
