namespace LoraFhe.Cryptography.Client;

/// <summary>The client's loops as plainly as the definition reads: slow, and what the vector kernels are checked against.</summary>
internal sealed unsafe class ReferenceKernel : ClientKernel
{
    /// <inheritdoc/>
    public override string Name => "Reference";

    /// <inheritdoc/>
    public override void Encrypt(in BlockWork work)
    {
        new Span<long>(work.FeatureSums, ResponseVerifier.FeatureSums).Clear();
        for (var lane = 0; lane < FeatureBlocks.Width; lane++)
        {
            var mask = Mask(work, lane);
            for (var t = 0; t < work.Tokens; t++)
            {
                var code = TokenEncoder.EncodeReference(work.Rows[(t * work.RowStride) + lane], work.Channels[lane], work.TokenScales[t]);
                var plaintext = code + work.Errors[(t * FeatureBlocks.Width) + lane];
                work.Words[(t * FeatureBlocks.Width) + lane] = Modular.Center(Modular.Add(mask[t], Modular.FromCentered(plaintext)));
                AddToCheck(work, t, lane, plaintext);
            }
        }
    }

    /// <inheritdoc/>
    public override void Decrypt(in BlockWork work)
    {
        new Span<long>(work.FeatureSums, ResponseVerifier.FeatureSums).Clear();
        for (var lane = 0; lane < FeatureBlocks.Width; lane++)
        {
            var mask = Mask(work, lane);
            for (var t = 0; t < work.Tokens; t++)
            {
                var plaintext = Modular.Center(Modular.Subtract(Modular.FromCentered(work.Words[(t * FeatureBlocks.Width) + lane]), mask[t]));
                work.Rows[(t * work.RowStride) + lane] = (float)(plaintext * work.TokenScales[t] * work.Channels[lane]);
                AddToCheck(work, t, lane, plaintext);
            }
        }
    }

    /// <inheritdoc/>
    public override void AddRows(in BlockWork work)
    {
        new Span<long>(work.FeatureSums, ResponseVerifier.FeatureSums).Clear();
        for (var t = 0; t < work.Tokens; t++)
        {
            for (var lane = 0; lane < FeatureBlocks.Width; lane++)
            {
                ref var word = ref work.Words[(t * FeatureBlocks.Width) + lane];
                var code = TokenEncoder.EncodeReference(work.Rows[(t * work.RowStride) + lane], work.Channels[lane], work.TokenScales[t]);
                word = Modular.Center(Modular.Add(Modular.FromCentered(word), Modular.FromCentered(code)));
                AddToCheck(work, t, lane, code);
            }
        }
    }

    /// <inheritdoc/>
    public override void SubtractMask(in BlockWork work)
    {
        new Span<long>(work.FeatureSums, ResponseVerifier.FeatureSums).Clear();
        for (var t = 0; t < work.Tokens; t++)
        {
            for (var lane = 0; lane < FeatureBlocks.Width; lane++)
            {
                var (word, mask) = (work.Words[(t * FeatureBlocks.Width) + lane], work.Masks[(t * FeatureBlocks.Width) + lane]);
                var plaintext = Modular.Center(Modular.Subtract(Modular.FromCentered(word), Modular.FromCentered(mask)));
                work.Rows[(t * work.RowStride) + lane] = (float)(plaintext * work.TokenScales[t] * work.Channels[lane]);
                AddToCheck(work, t, lane, plaintext);
            }
        }
    }

    /// <inheritdoc/>
    public override void Transform(uint* values, int degree) => NegacyclicTransform.OfDegree(degree).ForwardReference(new Span<uint>(values, degree));

    /// <inheritdoc/>
    public override void Encode(float* row, double* channels, double scale, int* codes, int features)
    {
        for (var j = 0; j < features; j++)
        {
            codes[j] = TokenEncoder.EncodeReference(row[j], channels[j], scale);
        }
    }

    /// <inheritdoc/>
    public override void Quantize(float* row, double* channels, double scale, double inverse, sbyte* errors, float* destination, int features)
    {
        for (var j = 0; j < features; j++)
        {
            var code = TokenEncoder.EncodeReference(row[j], channels[j], scale) + (errors is null ? 0 : errors[j]);
            destination[j] = (float)(code * inverse);
        }
    }

    /// <summary>Σ_i a_i·s_i in values, then in coefficients; the factors hold s·2³²/r.</summary>
    private static uint[] Mask(in BlockWork work, int lane)
    {
        var values = new uint[work.Degree];
        for (var i = 0; i < EncryptedLinearParameters.SecretDimension; i++)
        {
            var product = Modular.MontgomeryReduce((ulong)work.Matrix[(i * FeatureBlocks.Width) + lane] * work.Factors[i]);
            values[i % work.Degree] = Modular.Add(values[i % work.Degree], product);
        }

        NegacyclicTransform.OfDegree(work.Degree).InverseReference(values);
        for (var i = 0; i < values.Length; i++)
        {
            // The reference transform divides by r once more than the factors foresee.
            values[i] = Modular.Multiply(values[i], (uint)work.Degree);
        }

        return values;
    }

    private static void AddToCheck(in BlockWork work, int token, int lane, int plaintext)
    {
        for (var v = 0; v < ResponseVerifier.Vectors; v++)
        {
            work.FeatureSums[ResponseVerifier.SumIndex(v, lane)] += (long)plaintext * work.TokenWeights[(token * ResponseVerifier.TokenStride) + v];
        }
    }
}
