using System.Numerics;

namespace LoraFhe.Cryptography;

/// <summary>C = W·B modulo q, as plainly as it reads: what every kernel is checked against.</summary>
internal static class LinearProduct
{
    /// <summary>One output of one token, in ±(q−1)/2.</summary>
    /// <param name="layer">The weights.</param>
    /// <param name="direction">Rows of W (forward) or its columns (backward).</param>
    /// <param name="output">Which output.</param>
    /// <param name="token">The token's input words, one for each input feature.</param>
    public static int Reference(QuantizedLayer layer, LayerDirection direction, int output, ReadOnlySpan<int> token)
    {
        BigInteger sum = 0;
        long partial = 0;
        for (var i = 0; i < token.Length; i++)
        {
            // |w| < 2¹¹, |b| < 2³¹: 2²⁰ products stay below 2⁶³.
            partial += (long)layer.Code(direction, output, i) * token[i];
            if ((i & 0xfffff) == 0xfffff)
            {
                sum += partial;
                partial = 0;
            }
        }

        return Modular.Reduce((long)((sum + partial) % Modular.Modulus));
    }
}
