namespace LoraFhe.Cryptography;

/// <summary>Compares a kernel with the naive product on small shapes that exercise every tail, with the most extreme weights and
/// words.</summary>
internal static unsafe class KernelCheck
{
    private static readonly (int OutFeatures, int InFeatures, int Tokens, int Bits)[] Shapes =
    [
        (1, 1, 1, 8), (7, 17, 3, 12), (25, 33, 2, 10), (49, 16, 5, 12), (24, 530, 4, 12), (40, 1, 1, 9),
    ];

    /// <summary>Whether the kernel answers exactly, in both directions and both memory forms.</summary>
    public static bool Passes(IntegerGemm kernel)
    {
        foreach (var (outFeatures, inFeatures, tokens, bits) in Shapes)
        {
            var layer = MakeLayer(outFeatures, inFeatures, bits);
            if (!Passes(kernel, layer, LayerDirection.Forward, tokens) || !Passes(kernel, layer, LayerDirection.Backward, tokens))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Passes(IntegerGemm kernel, QuantizedLayer layer, LayerDirection direction, int tokens)
    {
        var (inputs, outputs) = (layer.Inputs(direction), layer.Outputs(direction));
        var wire = new int[inputs * tokens];
        var padded = new uint[FeatureBlocks.PaddedWords(inputs, tokens)];
        for (var i = 0; i < inputs; i++)
        {
            for (var t = 0; t < tokens; t++)
            {
                var word = Word(i, t);
                wire[FeatureBlocks.WireIndex(i, t, inputs, tokens)] = word;
                padded[FeatureBlocks.PaddedIndex(i, t, tokens)] = Modular.FromCentered(word);
            }
        }

        var wireResult = new int[outputs * tokens];
        var paddedResult = new uint[FeatureBlocks.PaddedWords(outputs, tokens)];
        Array.Fill(paddedResult, uint.MaxValue);
        using var weights = kernel.Pack(layer, direction, maxThreads: 1);
        fixed (int* source = wire, target = wireResult)
        fixed (uint* paddedSource = padded, paddedTarget = paddedResult)
        {
            var (wireSource, wireTarget) = (WordMatrix.OnTheWire(source, inputs, tokens), WordMatrix.OnTheWire(target, outputs, tokens));
            kernel.Multiply(weights, wireSource, wireTarget, 1, CancellationToken.None);
            var (matrix, hint) = (WordMatrix.Padded(paddedSource, inputs, tokens), WordMatrix.Padded(paddedTarget, outputs, tokens));
            kernel.Multiply(weights, matrix, hint, 1, CancellationToken.None);
        }

        return IsExact(layer, direction, tokens, wireResult, paddedResult);
    }

    private static bool IsExact(QuantizedLayer layer, LayerDirection direction, int tokens, int[] wire, uint[] padded)
    {
        var (inputs, outputs) = (layer.Inputs(direction), layer.Outputs(direction));
        var token = new int[inputs];
        for (var t = 0; t < tokens; t++)
        {
            for (var i = 0; i < inputs; i++)
            {
                token[i] = Word(i, t);
            }

            for (var o = 0; o < outputs; o++)
            {
                var expected = LinearProduct.Reference(layer, direction, o, token);
                if (wire[FeatureBlocks.WireIndex(o, t, outputs, tokens)] != expected
                    || padded[FeatureBlocks.PaddedIndex(o, t, tokens)] != Modular.FromCentered(expected))
                {
                    return false;
                }
            }

            for (var lane = outputs; lane < FeatureBlocks.Count(outputs) * FeatureBlocks.Width; lane++)
            {
                if (padded[FeatureBlocks.PaddedIndex(lane, t, tokens)] != 0)
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static QuantizedLayer MakeLayer(int outFeatures, int inFeatures, int bits)
    {
        var largest = (1 << (bits - 1)) - 1;
        var codes = new short[outFeatures * inFeatures];
        for (var i = 0; i < codes.Length; i++)
        {
            // Every third weight is as large as can be: blocks of inputs are then cut short.
            codes[i] = (short)(i % 3 == 0 ? largest * ((i & 1) == 0 ? 1 : -1) : (int)(Scramble(i) % (uint)((2 * largest) + 1)) - largest);
        }

        var scales = new float[outFeatures];
        Array.Fill(scales, 1f);
        return QuantizedLayer.Create("check", "check", bits, outFeatures, inFeatures, codes, scales);
    }

    // A word of the check: an extreme, a limb's edge, or anything.
    private static int Word(int feature, int token) => ((feature + (5 * token)) % 7) switch
    {
        0 => EncryptedLinearParameters.HalfModulus,
        1 => -EncryptedLinearParameters.HalfModulus,
        2 => 0x7fff,
        3 => -0x8000,
        _ => Modular.Center(Scramble((feature * 131) + token) % Modular.Modulus),
    };

    private static uint Scramble(int value)
    {
        var mixed = ((ulong)value + 1) * 0x9e3779b97f4a7c15UL;
        return (uint)((mixed ^ (mixed >> 29)) >> 16);
    }
}
