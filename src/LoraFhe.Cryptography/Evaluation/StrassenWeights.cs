namespace LoraFhe.Cryptography;

/// <summary>The seven combinations of a weight's quarters that one Strassen level multiplies by, each in a kernel's order.</summary>
/// <remarks>7/4 of the weight's own size. A combination of two weights has one bit more, so that a block of inputs is sometimes
/// shorter.</remarks>
internal sealed class StrassenWeights : IDisposable
{
    /// <summary>Products of one level.</summary>
    public const int Products = 7;

    // Smaller weights gain nothing (576 by 576: 1 %).
    private const long MinWeights = 1 << 19;

    // What each product takes of the quarters W₁₁, W₁₂, W₂₁, W₂₂.
    private static readonly int[][] Terms = [[1, 0, 0, 1], [0, 0, 1, 1], [1, 0, 0, 0], [0, 0, 0, 1], [1, 1, 0, 0], [-1, 0, 1, 0], [0, 1, 0, -1]];

    private readonly PackedWeights[] _weights;

    private StrassenWeights(PackedWeights[] weights) => _weights = weights;

    /// <summary>Inputs of a quarter.</summary>
    public int Inputs => _weights[0].Inputs;

    /// <summary>Outputs of a quarter.</summary>
    public int Outputs => _weights[0].Outputs;

    /// <summary>One product's weights, counted from 0.</summary>
    public PackedWeights this[int product] => _weights[product];

    /// <summary>Whether a product can and should be computed so: wide, of whole blocks and panels in each half, with a bit to
    /// spare.</summary>
    public static bool Suit(IntegerGemm kernel, QuantizedLayer layer, LayerDirection direction)
    {
        var (inputs, outputs) = (layer.Inputs(direction), layer.Outputs(direction));
        return layer.Bits < EncryptedLinearParameters.MaxBits
            && inputs >= kernel.StrassenInputs
            && (long)inputs * outputs >= MinWeights
            && inputs % (2 * FeatureBlocks.Width) == 0
            && outputs % (2 * FeatureBlocks.Width) == 0
            && outputs % (2 * kernel.PanelOutputs) == 0;
    }

    /// <summary>Packs the combinations of a layer that suits.</summary>
    public static StrassenWeights Pack(IntegerGemm kernel, QuantizedLayer layer, LayerDirection direction, int threads)
    {
        var weights = new PackedWeights[Products];
        BlockWorkers.Run(Products, threads, (_, product) =>
            weights[product] = kernel.Pack(Combine(layer, direction, Terms[product]), LayerDirection.Forward, maxThreads: 1));
        return new StrassenWeights(weights);
    }

    /// <summary>Frees the memory, once no product holds a reference.</summary>
    public void Dispose() => Array.ForEach(_weights, weights => weights.Dispose());

    private static QuantizedLayer Combine(QuantizedLayer layer, LayerDirection direction, int[] terms)
    {
        var (inputs, outputs) = (layer.Inputs(direction) / 2, layer.Outputs(direction) / 2);
        var codes = new short[inputs * outputs];
        for (var quarter = 0; quarter < terms.Length; quarter++)
        {
            if (terms[quarter] != 0)
            {
                AddQuarter(layer, direction, quarter / 2 * outputs, quarter % 2 * inputs, terms[quarter], codes, inputs);
            }
        }

        var scales = new float[outputs];
        Array.Fill(scales, 1f);
        return QuantizedLayer.Create(layer.ModelId, layer.Name, layer.Bits + 1, outputs, inputs, codes, scales);
    }

    private static void AddQuarter(
        QuantizedLayer layer, LayerDirection direction, int firstOutput, int firstInput, int sign, short[] codes, int inputs)
    {
        var outputs = codes.Length / inputs;
        for (var o = 0; o < outputs; o++)
        {
            for (var i = 0; i < inputs; i++)
            {
                codes[(o * inputs) + i] += (short)(sign * layer.Code(direction, firstOutput + o, firstInput + i));
            }
        }
    }
}
