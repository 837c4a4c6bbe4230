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

    // Rows of clear values asked for ahead of their use.
    private const int RowsAhead = 8;

    /// <inheritdoc/>
    public override string Name => TLanes.Name;

    private static int Halves => FeatureBlocks.Width / TLanes.Count;

    /// <inheritdoc/>
    public override void Encrypt(in BlockWork work)
    {
        Mask(work);
        for (var h = 0; h < Halves; h++)
        {
            EncryptHalf(work, h);
        }
    }

    /// <inheritdoc/>
    public override void Decrypt(in BlockWork work)
    {
        Mask(work);
        for (var h = 0; h < Halves; h++)
        {
            DecryptHalf(work, h);
        }
    }

    /// <inheritdoc/>
    public override void AddRows(in BlockWork work)
    {
        for (var h = 0; h < Halves; h++)
        {
            AddRowsHalf(work, h * TLanes.Count);
        }
    }

    /// <inheritdoc/>
    public override void SubtractMask(in BlockWork work)
    {
        for (var h = 0; h < Halves; h++)
        {
            SubtractMaskHalf(work, h * TLanes.Count);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Encode(float* row, double* channels, double scale, int* codes, int features)
    {
        var j = 0;
        for (; j + TLanes.Count <= features; j += TLanes.Count)
        {
            TLanes.Store(TLanes.Encode(row + j, channels + j, scale, ClampBound), (uint*)codes + j);
        }

        for (; j < features; j++)
        {
            codes[j] = TokenEncoder.EncodeReference(row[j], channels[j], scale);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Quantize(float* row, double* channels, double scale, double inverse, sbyte* errors, float* destination, int features)
    {
        var ones = stackalloc double[FeatureBlocks.Width];
        new Span<double>(ones, FeatureBlocks.Width).Fill(1);
        var j = 0;
        for (; j + TLanes.Count <= features; j += TLanes.Count)
        {
            var codes = TLanes.Encode(row + j, channels + j, scale, ClampBound);
            if (errors is not null)
            {
                codes = TLanes.Add(codes, TLanes.LoadBytes(errors + j));
            }

            TLanes.Decode(codes, inverse, ones, destination + j);
        }

        for (; j < features; j++)
        {
            var code = TokenEncoder.EncodeReference(row[j], channels[j], scale) + (errors is null ? 0 : errors[j]);
            destination[j] = (float)(code * inverse);
        }
    }

    /// <inheritdoc/>
    public override void Transform(uint* values, int degree) => LaneTransform<TLanes, TVector>.Forward(values, degree, LaneTwiddles.Forward(degree));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EncryptHalf(in BlockWork work, int h)
    {
        var q = TLanes.Broadcast(Modulus);
        var half = TLanes.Broadcast(EncryptedLinearParameters.HalfModulus);
        var lane = h * TLanes.Count;
        var mask = work.Scratch + (h * work.Degree * TLanes.Count);
        var row = work.Rows + lane;
        var errors = work.Errors + lane;
        var words = (uint*)work.Words + lane;
        var weights = work.TokenWeights;
        var channels = work.Channels + lane;
        TVector even0 = default, odd0 = default, even1 = default, odd1 = default, even2 = default, odd2 = default;
        for (var t = 0; t < work.Tokens; t++)
        {
            // mask < q and |x̂ + e| ≤ (q−1)/2: mask + x̂ + e + (q−1)/2 lies in [0, 2q), one conditional subtraction centers it.
            TLanes.Prefetch((uint*)(row + (RowsAhead * work.RowStride)));
            var plaintext = TLanes.Add(TLanes.Encode(row, channels, work.TokenScales[t], ClampBound), TLanes.LoadBytes(errors));
            var sum = TLanes.Add(TLanes.Add(TLanes.Load(mask), plaintext), half);
            sum = TLanes.Min(sum, TLanes.Subtract(sum, q));
            TLanes.Store(TLanes.Subtract(sum, half), words);

            // |x̂ + e| < 2³⁰, |weight| ≤ 2²⁰, 512 tokens: sums stay below 2⁵⁹.
            var odd = TLanes.OddToEven(plaintext);
            var weight = TLanes.Broadcast((uint)weights[0]);
            even0 = TLanes.Add64(even0, TLanes.MultiplyEvenSigned(plaintext, weight));
            odd0 = TLanes.Add64(odd0, TLanes.MultiplyEvenSigned(odd, weight));
            weight = TLanes.Broadcast((uint)weights[1]);
            even1 = TLanes.Add64(even1, TLanes.MultiplyEvenSigned(plaintext, weight));
            odd1 = TLanes.Add64(odd1, TLanes.MultiplyEvenSigned(odd, weight));
            weight = TLanes.Broadcast((uint)weights[2]);
            even2 = TLanes.Add64(even2, TLanes.MultiplyEvenSigned(plaintext, weight));
            odd2 = TLanes.Add64(odd2, TLanes.MultiplyEvenSigned(odd, weight));

            mask += TLanes.Count;
            row += work.RowStride;
            errors += FeatureBlocks.Width;
            words += FeatureBlocks.Width;
            weights += ResponseVerifier.TokenStride;
        }

        StoreSums(work.FeatureSums, 0, lane, even0, odd0);
        StoreSums(work.FeatureSums, 1, lane, even1, odd1);
        StoreSums(work.FeatureSums, 2, lane, even2, odd2);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DecryptHalf(in BlockWork work, int h)
    {
        var q = TLanes.Broadcast(Modulus);
        var half = TLanes.Broadcast(EncryptedLinearParameters.HalfModulus);
        var lane = h * TLanes.Count;
        var mask = work.Scratch + (h * work.Degree * TLanes.Count);
        var row = work.Rows + lane;
        var words = (uint*)work.Words + lane;
        var weights = work.TokenWeights;
        var channels = work.Channels + lane;
        TVector even0 = default, odd0 = default, even1 = default, odd1 = default, even2 = default, odd2 = default;
        for (var t = 0; t < work.Tokens; t++)
        {
            // word + (q−1)/2 and mask lie in [0, q): one conditional addition, then centered.
            var difference = TLanes.Subtract(TLanes.Add(TLanes.Load(words), half), TLanes.Load(mask));
            difference = TLanes.Min(difference, TLanes.Add(difference, q));
            var plaintext = TLanes.Subtract(difference, half);
            TLanes.Decode(plaintext, work.TokenScales[t], channels, row);

            // |plaintext| < 2³⁰, |weight| ≤ 2²⁰, 512 tokens: sums stay below 2⁵⁹.
            var odd = TLanes.OddToEven(plaintext);
            var weight = TLanes.Broadcast((uint)weights[0]);
            even0 = TLanes.Add64(even0, TLanes.MultiplyEvenSigned(plaintext, weight));
            odd0 = TLanes.Add64(odd0, TLanes.MultiplyEvenSigned(odd, weight));
            weight = TLanes.Broadcast((uint)weights[1]);
            even1 = TLanes.Add64(even1, TLanes.MultiplyEvenSigned(plaintext, weight));
            odd1 = TLanes.Add64(odd1, TLanes.MultiplyEvenSigned(odd, weight));
            weight = TLanes.Broadcast((uint)weights[2]);
            even2 = TLanes.Add64(even2, TLanes.MultiplyEvenSigned(plaintext, weight));
            odd2 = TLanes.Add64(odd2, TLanes.MultiplyEvenSigned(odd, weight));

            mask += TLanes.Count;
            row += work.RowStride;
            words += FeatureBlocks.Width;
            weights += ResponseVerifier.TokenStride;
        }

        StoreSums(work.FeatureSums, 0, lane, even0, odd0);
        StoreSums(work.FeatureSums, 1, lane, even1, odd1);
        StoreSums(work.FeatureSums, 2, lane, even2, odd2);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRowsHalf(in BlockWork work, int lane)
    {
        var q = TLanes.Broadcast(Modulus);
        var half = TLanes.Broadcast(EncryptedLinearParameters.HalfModulus);
        var row = work.Rows + lane;
        var words = (uint*)work.Words + lane;
        var weights = work.TokenWeights;
        var channels = work.Channels + lane;
        TVector even0 = default, odd0 = default, even1 = default, odd1 = default, even2 = default, odd2 = default;
        for (var t = 0; t < work.Tokens; t++)
        {
            // A negative word is large as unsigned: one conditional addition puts the mask into [0, q). From there as in EncryptHalf.
            TLanes.Prefetch((uint*)(row + (RowsAhead * work.RowStride)));
            var code = TLanes.Encode(row, channels, work.TokenScales[t], ClampBound);
            var mask = TLanes.Load(words);
            mask = TLanes.Min(mask, TLanes.Add(mask, q));
            var sum = TLanes.Add(TLanes.Add(mask, code), half);
            sum = TLanes.Min(sum, TLanes.Subtract(sum, q));
            TLanes.Store(TLanes.Subtract(sum, half), words);
            AddToCheck(code, weights, ref even0, ref odd0, ref even1, ref odd1, ref even2, ref odd2);

            row += work.RowStride;
            words += FeatureBlocks.Width;
            weights += ResponseVerifier.TokenStride;
        }

        StoreSums(work.FeatureSums, 0, lane, even0, odd0);
        StoreSums(work.FeatureSums, 1, lane, even1, odd1);
        StoreSums(work.FeatureSums, 2, lane, even2, odd2);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SubtractMaskHalf(in BlockWork work, int lane)
    {
        var q = TLanes.Broadcast(Modulus);
        var half = TLanes.Broadcast(EncryptedLinearParameters.HalfModulus);
        var masks = (uint*)work.Masks + lane;
        var row = work.Rows + lane;
        var words = (uint*)work.Words + lane;
        var weights = work.TokenWeights;
        var channels = work.Channels + lane;
        TVector even0 = default, odd0 = default, even1 = default, odd1 = default, even2 = default, odd2 = default;
        for (var t = 0; t < work.Tokens; t++)
        {
            // The mask into [0, q), as in AddRowsHalf; then as in DecryptHalf.
            var mask = TLanes.Load(masks);
            mask = TLanes.Min(mask, TLanes.Add(mask, q));
            var difference = TLanes.Subtract(TLanes.Add(TLanes.Load(words), half), mask);
            difference = TLanes.Min(difference, TLanes.Add(difference, q));
            var plaintext = TLanes.Subtract(difference, half);
            TLanes.Decode(plaintext, work.TokenScales[t], channels, row);
            AddToCheck(plaintext, weights, ref even0, ref odd0, ref even1, ref odd1, ref even2, ref odd2);

            masks += FeatureBlocks.Width;
            row += work.RowStride;
            words += FeatureBlocks.Width;
            weights += ResponseVerifier.TokenStride;
        }

        StoreSums(work.FeatureSums, 0, lane, even0, odd0);
        StoreSums(work.FeatureSums, 1, lane, even1, odd1);
        StoreSums(work.FeatureSums, 2, lane, even2, odd2);
    }

    /// <summary>|plaintext| &lt; 2³⁰, |weight| ≤ 2²⁰, 512 tokens: sums stay below 2⁵⁹.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddToCheck(
        TVector plaintext, int* weights, ref TVector even0, ref TVector odd0, ref TVector even1, ref TVector odd1, ref TVector even2, ref TVector odd2)
    {
        var odd = TLanes.OddToEven(plaintext);
        var weight = TLanes.Broadcast((uint)weights[0]);
        even0 = TLanes.Add64(even0, TLanes.MultiplyEvenSigned(plaintext, weight));
        odd0 = TLanes.Add64(odd0, TLanes.MultiplyEvenSigned(odd, weight));
        weight = TLanes.Broadcast((uint)weights[1]);
        even1 = TLanes.Add64(even1, TLanes.MultiplyEvenSigned(plaintext, weight));
        odd1 = TLanes.Add64(odd1, TLanes.MultiplyEvenSigned(odd, weight));
        weight = TLanes.Broadcast((uint)weights[2]);
        even2 = TLanes.Add64(even2, TLanes.MultiplyEvenSigned(plaintext, weight));
        odd2 = TLanes.Add64(odd2, TLanes.MultiplyEvenSigned(odd, weight));
    }

    private static void StoreSums(long* sums, int vector, int lane, TVector even, TVector odd)
    {
        TLanes.Store(even, (uint*)(sums + ResponseVerifier.SumIndex(vector, lane)));
        TLanes.Store(odd, (uint*)(sums + ResponseVerifier.SumIndex(vector, lane + 1)));
    }

    /// <summary>Scratch [16/lanes][r][lanes] = Σ a·s in coefficients, in [0, q).</summary>
    private static void Mask(in BlockWork work)
    {
        Products(work);
        var twiddles = LaneTwiddles.Inverse(work.Degree);
        for (var h = 0; h < Halves; h++)
        {
            LaneTransform<TLanes, TVector>.Inverse(work.Scratch + (h * work.Degree * TLanes.Count), work.Degree, twiddles);
        }
    }

    /// <summary>Scratch = Σ_m a_m·s_m·2⁻³² in values, in [0, q). Both halves of a cache line are used while it is there: with ring degree 64 all 24 lines share one set of the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Products(in BlockWork work)
    {
        var degree = work.Degree;
        var step = degree * FeatureBlocks.Width;
        var q = TLanes.Broadcast(Modulus);
        var inverse = TLanes.Broadcast(ModulusInverse);
        var highModulus = TLanes.HighWords(Modulus);
        var rank = EncryptedLinearParameters.SecretDimension / degree;
        var next = work.NextMatrix;
        for (var i = 0; i < degree; i++)
        {
            var a = work.Matrix + (i * FeatureBlocks.Width);
            var s = work.Factors + i;
            next = Prefetch(next, rank);
            var factor = TLanes.Broadcast(*s);
            TVector even = default, odd = default, even2 = default, odd2 = default;
            MultiplyAdd(a, factor, ref even, ref odd, ref even2, ref odd2);
            for (var m = 1; m < rank; m += 2)
            {
                // Before: below q·2³². Two products are below q·2³² together: the sum stays below 2⁶⁴, and a conditional subtraction of q·2³² restores the bound.
                a += step;
                s += degree;
                MultiplyAdd(a, TLanes.Broadcast(*s), ref even, ref odd, ref even2, ref odd2);
                if (m + 1 < rank)
                {
                    a += step;
                    s += degree;
                    MultiplyAdd(a, TLanes.Broadcast(*s), ref even, ref odd, ref even2, ref odd2);
                }

                even = TLanes.Min(even, TLanes.Subtract(even, highModulus));
                odd = TLanes.Min(odd, TLanes.Subtract(odd, highModulus));
                if (Halves == 2)
                {
                    even2 = TLanes.Min(even2, TLanes.Subtract(even2, highModulus));
                    odd2 = TLanes.Min(odd2, TLanes.Subtract(odd2, highModulus));
                }
            }

            TLanes.Store(Reduce(even, odd, q, inverse), work.Scratch + (i * TLanes.Count));
            if (Halves == 2)
            {
                TLanes.Store(Reduce(even2, odd2, q, inverse), work.Scratch + ((degree + i) * TLanes.Count));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAdd(uint* a, TVector factor, ref TVector even, ref TVector odd, ref TVector even2, ref TVector odd2)
    {
        var v = TLanes.Load(a);
        even = TLanes.Add64(even, TLanes.MultiplyEven(v, factor));
        odd = TLanes.Add64(odd, TLanes.MultiplyEven(TLanes.OddToEven(v), factor));
        if (Halves == 2)
        {
            v = TLanes.Load(a + TLanes.Count);
            even2 = TLanes.Add64(even2, TLanes.MultiplyEven(v, factor));
            odd2 = TLanes.Add64(odd2, TLanes.MultiplyEven(TLanes.OddToEven(v), factor));
        }
    }

    /// <summary>sum·2⁻³² modulo q, in [0, q), of 64-bit sums below q·2³². Montgomery: subtracting the multiple of q that agrees in the low word leaves the difference of the high words, both below q.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Reduce(TVector even, TVector odd, TVector q, TVector inverse)
    {
        var evenMultiple = TLanes.MultiplyEven(TLanes.MultiplyEven(even, inverse), q);
        var oddMultiple = TLanes.MultiplyEven(TLanes.MultiplyEven(odd, inverse), q);
        var difference = TLanes.Subtract(TLanes.MergeHigh(even, odd), TLanes.MergeHigh(evenMultiple, oddMultiple));
        return TLanes.Min(difference, TLanes.Add(difference, q));
    }

    /// <summary>Asks for the next lines of a matrix that is read a whole block later: in the order of memory, which no order of its use here is, so that the processor's own prefetching and its tables of pages keep up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint* Prefetch(uint* matrix, int lines)
    {
        var end = matrix + (lines * FeatureBlocks.Width);
        for (; matrix < end; matrix += FeatureBlocks.Width)
        {
            TLanes.Prefetch(matrix);
        }

        return matrix;
    }
}
