using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography;

/// <summary>Three tokens by two vectors, for sixteen registers and a machine that multiplies and sums in one instruction: twelve sums, two
/// weight vectors and a factor.</summary>
/// <remarks>Two <c>vpdpwssd</c> begin a cycle and take up to five: with fewer than ten sums each would wait for the one before. Three vectors
/// by two tokens need a register more, and RyuJIT spills a sum.</remarks>
/// <typeparam name="TVector">One register of the machine.</typeparam>
/// <typeparam name="TPairSum">The machine's product and sum.</typeparam>
internal readonly unsafe struct FusedTile3x2<TVector, TPairSum> : IRegisterTile<TVector>
    where TVector : unmanaged, IIntegerVector<TVector>
    where TPairSum : struct, IPairSum<TVector>
{
    /// <inheritdoc/>
    public static int Tokens => 3;

    /// <inheritdoc/>
    public static int Vectors => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(int* limbs, int stride, short* weights, int pairs, TVector* sums)
    {
        // |weight| summed over a block ≤ 45588 and |limb| ≤ 2¹⁵: no lane leaves (−q, q).
        TVector low00 = TVector.Zero, low01 = TVector.Zero, high00 = TVector.Zero, high01 = TVector.Zero;
        TVector low10 = TVector.Zero, low11 = TVector.Zero, high10 = TVector.Zero, high11 = TVector.Zero;
        TVector low20 = TVector.Zero, low21 = TVector.Zero, high20 = TVector.Zero, high21 = TVector.Zero;
        int* first = limbs, second = limbs + stride, third = limbs + (2 * stride);
        for (var end = first + (2 * pairs); first != end; first += 2)
        {
            var left = TVector.Load(weights);
            var right = TVector.Load(weights + (2 * TVector.Lanes));
            var factor = TVector.Broadcast(first[0]);
            low00 = TPairSum.Add(low00, factor, left);
            low01 = TPairSum.Add(low01, factor, right);
            factor = TVector.Broadcast(first[1]);
            high00 = TPairSum.Add(high00, factor, left);
            high01 = TPairSum.Add(high01, factor, right);
            factor = TVector.Broadcast(second[0]);
            low10 = TPairSum.Add(low10, factor, left);
            low11 = TPairSum.Add(low11, factor, right);
            factor = TVector.Broadcast(second[1]);
            high10 = TPairSum.Add(high10, factor, left);
            high11 = TPairSum.Add(high11, factor, right);
            factor = TVector.Broadcast(third[0]);
            low20 = TPairSum.Add(low20, factor, left);
            low21 = TPairSum.Add(low21, factor, right);
            factor = TVector.Broadcast(third[1]);
            high20 = TPairSum.Add(high20, factor, left);
            high21 = TPairSum.Add(high21, factor, right);
            weights += 4 * TVector.Lanes;
            second += 2;
            third += 2;
        }

        sums[0] = low00;
        sums[1] = low01;
        sums[2] = high00;
        sums[3] = high01;
        sums[4] = low10;
        sums[5] = low11;
        sums[6] = high10;
        sums[7] = high11;
        sums[8] = low20;
        sums[9] = low21;
        sums[10] = high20;
        sums[11] = high21;
    }
}
