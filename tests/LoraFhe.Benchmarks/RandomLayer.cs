using LoraFhe.Cryptography;

namespace LoraFhe.Benchmarks;

/// <summary>A frozen layer of random weights.</summary>
internal static class RandomLayer
{
    /// <summary>Draws every weight of its whole range.</summary>
    public static QuantizedLayer Create(int inputs, int outputs, int bits, Random random)
    {
        var codes = new short[outputs * inputs];
        var limit = (1 << (bits - 1)) - 1;
        foreach (ref var code in codes.AsSpan())
        {
            code = (short)random.Next(-limit, limit + 1);
        }

        var scales = new float[outputs];
        Array.Fill(scales, 0.001f);
        return QuantizedLayer.Create("benchmark", "layer", bits, outputs, inputs, codes, scales);
    }
}
