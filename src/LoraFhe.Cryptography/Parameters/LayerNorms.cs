namespace LoraFhe.Cryptography;

/// <summary>The exact norms of one product's weights.</summary>
/// <param name="MaxSquaredNorm">The largest ‖w_o‖₂² over the outputs, at least 1.</param>
/// <param name="MaxAbsoluteSum">The largest ‖w_o‖₁ over the outputs.</param>
internal readonly record struct LayerNorms(long MaxSquaredNorm, long MaxAbsoluteSum)
{
    /// <summary>Norms over the rows (forward) and over the columns (backward) of codes [out, in].</summary>
    public static (LayerNorms Forward, LayerNorms Backward) Compute(ReadOnlySpan<short> codes, int outFeatures, int inFeatures)
    {
        // |code| ≤ 2047 and at most 2³¹ codes: every sum stays below 2⁵³.
        var columnSquares = new long[inFeatures];
        var columnSums = new long[inFeatures];
        long rowSquare = 1, rowSum = 0;
        for (var o = 0; o < outFeatures; o++)
        {
            long square = 0, sum = 0;
            var row = codes.Slice(o * inFeatures, inFeatures);
            for (var i = 0; i < row.Length; i++)
            {
                int code = row[i];
                var magnitude = Math.Abs(code);
                var squared = code * code;
                square += squared;
                sum += magnitude;
                columnSquares[i] += squared;
                columnSums[i] += magnitude;
            }

            rowSquare = Math.Max(rowSquare, square);
            rowSum = Math.Max(rowSum, sum);
        }

        long columnSquare = 1, columnSum = 0;
        for (var i = 0; i < inFeatures; i++)
        {
            columnSquare = Math.Max(columnSquare, columnSquares[i]);
            columnSum = Math.Max(columnSum, columnSums[i]);
        }

        return (new LayerNorms(rowSquare, rowSum), new LayerNorms(columnSquare, columnSum));
    }
}
