namespace LoraFhe.Tools.SecurityEstimate;

/// <summary>The primal attack: embed the secret as an unusually short vector, reduce the lattice with BKZ until it appears.</summary>
/// <remarks>
/// Alkim, Ducas, Pöppelmann, Schwabe, "Post-quantum key exchange - a new hope" (USENIX Security 2016), section 6: the geometric series
/// assumption and the success condition √β·σ ≤ δ^(2β−d−1)·vol^(1/d). The secret's coordinates are scaled up to the error's width
/// (Bai, Galbraith, ACISP 2014). δ(β) by Chen's thesis (2013). Exponents of a sieve in dimension β: 0.292 classical (Becker, Ducas,
/// Gama, Laarhoven, SODA 2016), 0.265 quantum (Laarhoven 2015).
/// </remarks>
internal static class PrimalAttack
{
    public const double ClassicalExponent = 0.292;
    public const double QuantumExponent = 0.265;

    /// <summary>The smallest block size that finds the secret, over all numbers of samples.</summary>
    public static (int BlockSize, int Samples) Cheapest(int dimension, double modulus, double secretVariance, double errorVariance)
    {
        var best = (BlockSize: int.MaxValue, Samples: 0);
        for (var samples = dimension / 2; samples <= 3 * dimension; samples += 2)
        {
            var blockSize = SmallestBlockSize(dimension, samples, modulus, secretVariance, errorVariance);
            if (blockSize < best.BlockSize)
            {
                best = (blockSize, samples);
            }
        }

        return best;
    }

    private static int SmallestBlockSize(int dimension, int samples, double modulus, double secretVariance, double errorVariance)
    {
        var (low, high) = (50, 1500);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Succeeds(middle, dimension, samples, modulus, secretVariance, errorVariance))
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }

    private static bool Succeeds(int blockSize, int dimension, int samples, double modulus, double secretVariance, double errorVariance)
    {
        double d = dimension + samples + 1;
        var logVolume = (samples * Math.Log(modulus)) + (dimension * 0.5 * Math.Log(errorVariance / secretVariance));
        var logShort = 0.5 * Math.Log(blockSize * errorVariance);
        return logShort <= (((2 * blockSize) - d - 1) * LogRootHermiteFactor(blockSize)) + (logVolume / d);
    }

    private static double LogRootHermiteFactor(double blockSize) =>
        Math.Log(blockSize / (2 * Math.PI * Math.E) * Math.Pow(Math.PI * blockSize, 1 / blockSize)) / (2 * (blockSize - 1));
}
