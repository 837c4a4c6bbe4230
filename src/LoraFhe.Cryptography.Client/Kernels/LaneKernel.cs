using System.Runtime.CompilerServices;

namespace LoraFhe.Cryptography.Client;

/// <summary>The client's loops over vectors whose lanes are features: no shuffles anywhere, twiddles are broadcast.</summary>
/// <typeparam name="TLanes">The instruction set.</typeparam>
/// <typeparam name="TVector">Its vector.</typeparam>
internal sealed unsafe class LaneKernel<TLanes, TVector> : ClientKernel
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const uint Modulus = Modular.Modulus;

    // q⁻¹ modulo 2³².
    private const uint ModulusInverse = unchecked(0u - Modular.NegatedInverse);

    /// <inheritdoc/>
    public override string Name => TLanes.Name;

    /// <inheritdoc/>
    public override int SumLanes => TLanes.Count / 2;

    private static int Halves => FeatureBlocks.Width / TLanes.Count;

    /// <inheritdoc/>
    public override void Encrypt(in BlockWork work)
    {
        Mask(work);
        var q = TLanes.Broadcast(Modulus);
        var half = TLanes.Broadcast(EncryptedLinearParameters.HalfModulus);
        for (var t = 0; t < work.Tokens; t++)
        {
            for (var h = 0; h < Halves; h++)
            {
                // mask < q and |x̂ + e| ≤ (q−1)/2: mask + x̂ + e + (q−1)/2 lies in [0, 2q), one conditional subtraction centers it.
                var lane = h * TLanes.Count;
                var place = (t * FeatureBlocks.Width) + lane;
                var mask = TLanes.Load(work.Scratch + (((h * work.Degree) + t) * TLanes.Count));
                var code = TLanes.Encode(work.Rows + (t * work.RowStride) + lane, work.Channels + lane, work.TokenScales[t], ClampBound);
                var plaintext = TLanes.Add(code, TLanes.LoadBytes(work.Errors + place));
                var sum = TLanes.Add(TLanes.Add(mask, plaintext), half);
                sum = TLanes.Min(sum, TLanes.Subtract(sum, q));
                TLanes.Store(TLanes.Subtract(sum, half), (uint*)work.Words + place);
                AddToCheck(work, EncryptVectors, t, lane, plaintext);
            }
        }
    }

    /// <inheritdoc/>
    public override void Decrypt(in BlockWork work)
    {
        Mask(work);
        var q = TLanes.Broadcast(Modulus);
        var half = TLanes.Broadcast(EncryptedLinearParameters.HalfModulus);
        for (var t = 0; t < work.Tokens; t++)
        {
            for (var h = 0; h < Halves; h++)
            {
                // word + (q−1)/2 and mask lie in [0, q): one conditional addition, then centered.
                var lane = h * TLanes.Count;
                var mask = TLanes.Load(work.Scratch + (((h * work.Degree) + t) * TLanes.Count));
                var word = TLanes.Load((uint*)work.Words + (t * FeatureBlocks.Width) + lane);
                var difference = TLanes.Subtract(TLanes.Add(word, half), mask);
                difference = TLanes.Min(difference, TLanes.Add(difference, q));
                var plaintext = TLanes.Subtract(difference, half);
                TLanes.Decode(plaintext, work.TokenScales[t], work.Channels + lane, work.Rows + (t * work.RowStride) + lane);
                AddToCheck(work, DecryptVectors, t, lane, plaintext);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddToCheck(in BlockWork work, int vectors, int token, int lane, TVector plaintext)
    {
        var odd = TLanes.OddToEven(plaintext);
        var sums = (uint*)(work.CheckSums + (token * vectors * (TLanes.Count / 2)));
        var weights = (uint*)work.CheckWeights + lane;
        for (var v = 0; v < vectors; v++)
        {
            var products = TLanes.Add64(
                TLanes.MultiplyEvenSigned(plaintext, TLanes.Load(weights)),
                TLanes.MultiplyEvenSigned(odd, TLanes.Load(weights + FeatureBlocks.Width)));
            TLanes.Store(TLanes.Add64(TLanes.Load(sums), products), sums);
            sums += TLanes.Count;
            weights += CheckBlock;
        }
    }

    /// <summary>Scratch [16/lanes][r][lanes] = Σ a·s in coefficients, in [0, q).</summary>
    private static void Mask(in BlockWork work)
    {
        Products(work);
        var twiddles = LaneTwiddles.OfDegree(work.Degree);
        for (var h = 0; h < Halves; h++)
        {
            LaneTransform<TLanes, TVector>.Inverse(work.Scratch + (h * work.Degree * TLanes.Count), work.Degree, twiddles);
        }
    }

    private static void Products(in BlockWork work)
    {
        var degree = work.Degree;
        var step = degree * FeatureBlocks.Width;
        var q = TLanes.Broadcast(Modulus);
        var inverse = TLanes.Broadcast(ModulusInverse);
        for (var i = 0; i < degree; i++)
        {
            for (var h = 0; h < Halves; h++)
            {
                var matrix = work.Matrix + (i * FeatureBlocks.Width) + (h * TLanes.Count);
                var factors = work.Factors + i;
                var end = work.Factors + EncryptedLinearParameters.SecretDimension;
                var total = Three(matrix, factors, step, degree, q, inverse);
                for (factors += 3 * degree, matrix += 3 * step; factors < end; factors += 3 * degree, matrix += 3 * step)
                {
                    total = TLanes.Add(total, Three(matrix, factors, step, degree, q, inverse));
                    total = TLanes.Min(total, TLanes.Subtract(total, q));
                }

                TLanes.Store(total, work.Scratch + (((h * degree) + i) * TLanes.Count));
            }
        }
    }

    /// <summary>(a₀s₀ + a₁s₁ + a₂s₂)·2⁻³² modulo q, in [0, q).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Three(uint* matrix, uint* factors, int step, int degree, TVector q, TVector inverse)
    {
        var a = TLanes.Load(matrix);
        var s = TLanes.Broadcast(factors[0]);
        var even = TLanes.MultiplyEven(a, s);
        var odd = TLanes.MultiplyEven(TLanes.OddToEven(a), s);
        a = TLanes.Load(matrix + step);
        s = TLanes.Broadcast(factors[degree]);
        even = TLanes.Add64(even, TLanes.MultiplyEven(a, s));
        odd = TLanes.Add64(odd, TLanes.MultiplyEven(TLanes.OddToEven(a), s));
        a = TLanes.Load(matrix + (2 * step));
        s = TLanes.Broadcast(factors[2 * degree]);
        even = TLanes.Add64(even, TLanes.MultiplyEven(a, s));
        odd = TLanes.Add64(odd, TLanes.MultiplyEven(TLanes.OddToEven(a), s));

        // The sum is below 3q² < 2⁶⁴: its high word below 1.5q. Montgomery: subtracting the multiple of q that agrees in the low word leaves the high words' difference.
        var evenMultiple = TLanes.MultiplyEven(TLanes.MultiplyEven(even, inverse), q);
        var oddMultiple = TLanes.MultiplyEven(TLanes.MultiplyEven(odd, inverse), q);
        var high = TLanes.MergeHigh(even, odd);
        high = TLanes.Min(high, TLanes.Subtract(high, q));
        var difference = TLanes.Subtract(high, TLanes.MergeHigh(evenMultiple, oddMultiple));
        return TLanes.Min(difference, TLanes.Add(difference, q));
    }
}
