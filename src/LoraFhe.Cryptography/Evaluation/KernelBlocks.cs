namespace LoraFhe.Cryptography;

/// <summary>Where the long sum over input features is cut, so that a 32-bit lane never overflows.</summary>
internal static class KernelBlocks
{
    /// <summary>The largest Σ|w| of one output within a block.</summary>
    /// <remarks>|low| ≤ 2¹⁵ and |high| ≤ 2¹⁴ for words in ±(q−1)/2. So |Σw·low| ≤ 45588·2¹⁵ &lt; q, and |Σw·high| >> 15 ≤ 22794,
    /// 22794·94207 &lt; q:
    /// what <see cref="IIntegerVector{TVector}.Recombine"/> needs.</remarks>
    public const int MaxAbsoluteSum = 45588;

    /// <summary>The most features of a block, a multiple of 16: a panel of weights then stays near the core.</summary>
    public const int MaxFeatures = 768;

    /// <summary>Cuts a product's inputs into blocks.</summary>
    /// <returns>The blocks' first features, multiples of 16, then the padded number of inputs. 16 features always fit: 16·2047 &lt;
    /// 45588.</returns>
    public static int[] Cut(QuantizedLayer layer, LayerDirection direction, int maxFeatures = MaxFeatures)
    {
        var columns = FeatureBlocks.Count(layer.Inputs(direction));
        var sums = BlockSums(layer, direction, columns);
        var greedy = CutWhileFits(sums, layer.Outputs(direction), columns, maxFeatures / FeatureBlocks.Width);

        // The same number of blocks in equal lengths, if that fits too: no short last block.
        var even = (columns + greedy.Length - 2) / (greedy.Length - 1);
        var equal = CutWhileFits(sums, layer.Outputs(direction), columns, even);
        return equal.Length == greedy.Length ? equal : greedy;
    }

    private static int[] CutWhileFits(int[] sums, int outputs, int columns, int maxColumns)
    {
        var starts = new List<int> { 0 };
        var running = new int[outputs];
        var first = 0;
        for (var column = 0; column < columns; column++)
        {
            var fits = column - first < maxColumns;
            for (var o = 0; o < outputs && fits; o++)
            {
                fits = running[o] + sums[((long)column * outputs) + o] <= MaxAbsoluteSum;
            }

            if (!fits)
            {
                Array.Clear(running);
                first = column;
                starts.Add(column * FeatureBlocks.Width);
            }

            for (var o = 0; o < outputs; o++)
            {
                running[o] += sums[((long)column * outputs) + o];
            }
        }

        starts.Add(columns * FeatureBlocks.Width);
        return [.. starts];
    }

    // Σ|w| over each 16 inputs, for each output: [columns][outputs].
    private static int[] BlockSums(QuantizedLayer layer, LayerDirection direction, int columns)
    {
        var outputs = layer.Outputs(direction);
        var sums = new int[(long)outputs * columns];
        for (var row = 0; row < layer.OutFeatures; row++)
        {
            var line = layer.Codes.Slice(row * layer.InFeatures, layer.InFeatures);
            if (direction == LayerDirection.Forward)
            {
                for (var column = 0; column < columns; column++)
                {
                    var sum = 0;
                    foreach (var code in line.Slice(column * FeatureBlocks.Width, FeatureBlocks.BlockWidth(column, line.Length)))
                    {
                        sum += Math.Abs((int)code);
                    }

                    sums[((long)column * outputs) + row] = sum;
                }
            }
            else
            {
                var column = sums.AsSpan(row / FeatureBlocks.Width * outputs, outputs);
                for (var o = 0; o < line.Length; o++)
                {
                    column[o] += Math.Abs((int)line[o]);
                }
            }
        }

        return sums;
    }
}
