namespace LoraFhe.Cryptography.Client.Tests;

/// <summary>Random frozen layers, and the product they must give.</summary>
internal static class Layers
{
    public static QuantizedLayer Random(int outFeatures, int inFeatures, int bits, ulong seed, string name = "layer")
    {
        var random = new SplitMix(seed);
        var largest = (1 << (bits - 1)) - 1;
        var codes = new short[outFeatures * inFeatures];
        for (var i = 0; i < codes.Length; i++)
        {
            codes[i] = (short)random.Between(-largest, largest);
        }

        var scales = new float[outFeatures];
        for (var o = 0; o < scales.Length; o++)
        {
            scales[o] = 0.001f * random.Between(1, 40);
        }

        return QuantizedLayer.Create("tests", name, bits, outFeatures, inFeatures, codes, scales);
    }

    public static float[] Rows(int tokens, int features, ulong seed)
    {
        var random = new SplitMix(seed);
        var rows = new float[tokens * features];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = (float)random.Normal();
        }

        return rows;
    }

    public static PublicMatrix Matrix(PublicMatrixSeed seed, int rows) => PublicMatrix.Expand(seed, rows, TestContext.Current.CancellationToken);

    public static Hint HintOf(QuantizedLayer layer, LayerDirection direction, PublicMatrix matrix) =>
        Hint.Make(layer, direction, matrix, maxThreads: 1, TestContext.Current.CancellationToken);

    public static Hint FromStore(HintStore store, QuantizedLayer layer, LayerDirection direction, PublicMatrix matrix) =>
        store.GetOrMake(layer, direction, matrix, maxThreads: 1, TestContext.Current.CancellationToken);

    /// <summary>W·x of one product and row of integers.</summary>
    public static long[] Multiply(QuantizedLayer layer, LayerDirection direction, ReadOnlySpan<int> row)
    {
        var result = new long[layer.Outputs(direction)];
        for (var o = 0; o < result.Length; o++)
        {
            for (var i = 0; i < row.Length; i++)
            {
                result[o] += (long)layer.Code(direction, o, i) * row[i];
            }
        }

        return result;
    }
}
