using System.Runtime.InteropServices;

namespace LoraFhe.Cryptography.Client;

/// <summary>A small fixed case with extreme words, run once at start by each candidate kernel and by the plain one. Nothing in it is secret.</summary>
internal static unsafe class KernelProbe
{
    private const int Degree = 64;
    private const int Tokens = 33;
    private const int Width = FeatureBlocks.Width;
    private const int Dimension = EncryptedLinearParameters.SecretDimension;

    /// <summary>All words, rows and check residues of one encryption and one decryption.</summary>
    public static byte[] Run(ClientKernel kernel)
    {
        var state = 0x9e3779b97f4a7c15UL;
        var matrix = new uint[Dimension * Width];
        var factors = new uint[Dimension];
        FillWords(matrix, ref state);
        FillWords(factors, ref state);
        var rows = new float[Tokens * Width];
        var errors = new sbyte[Degree * Width];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = ((int)(Next(ref state) % 2001) - 1000) * 0.37f;
            errors[i] = (sbyte)((int)(Next(ref state) % 43) - 21);
        }

        var scales = new double[Tokens];
        var channels = new double[Width];
        for (var t = 0; t < Tokens; t++)
        {
            scales[t] = t == 0 ? 0 : 22_000.0 / t;
        }

        for (var lane = 0; lane < Width; lane++)
        {
            channels[lane] = 1.0 / (lane + 1);
        }

        var words = new int[Tokens * Width];
        var encryptSums = new long[Tokens * ClientKernel.EncryptVectors * kernel.SumLanes];
        var decryptSums = new long[Tokens * ClientKernel.DecryptVectors * kernel.SumLanes];
        fixed (uint* m = matrix, f = factors, scratch = new uint[Degree * Width])
        fixed (int* w = words, encryptWeights = Weights(ClientKernel.EncryptVectors, 0x3fff0000), decryptWeights = Weights(ClientKernel.DecryptVectors, 0xffff))
        fixed (float* r = rows)
        fixed (double* s = scales, c = channels)
        fixed (sbyte* e = errors)
        fixed (long* encrypted = encryptSums, decrypted = decryptSums)
        {
            var work = new BlockWork
            {
                Matrix = m,
                Factors = f,
                Degree = Degree,
                Tokens = Tokens,
                Words = w,
                Rows = r,
                RowStride = Width,
                TokenScales = s,
                Channels = c,
                Errors = e,
                CheckWeights = encryptWeights,
                CheckSums = encrypted,
                Scratch = scratch,
            };
            kernel.Encrypt(work);
            work.CheckWeights = decryptWeights;
            work.CheckSums = decrypted;

            // Another hint than the matrix, so that what is decrypted fills the whole range.
            matrix[0] ^= 1;
            kernel.Decrypt(work);
        }

        return [.. MemoryMarshal.AsBytes<int>(words), .. MemoryMarshal.AsBytes<float>(rows), .. Residues(encryptSums, kernel.SumLanes), .. Residues(decryptSums, kernel.SumLanes)];
    }

    private static int[] Weights(int vectors, int largest)
    {
        var weights = new int[vectors * ClientKernel.CheckBlock];
        for (var v = 0; v < vectors; v++)
        {
            for (var lane = 0; lane < Width; lane++)
            {
                var value = largest - (v * 7919) - (lane * 104_729 % largest);
                weights[(v * ClientKernel.CheckBlock) + lane] = value;
                if (lane % 2 == 1)
                {
                    weights[(v * ClientKernel.CheckBlock) + Width + lane - 1] = value;
                }
            }
        }

        return weights;
    }

    private static byte[] Residues(long[] sums, int lanes)
    {
        var residues = new uint[sums.Length / lanes];
        fixed (long* from = sums)
        fixed (uint* to = residues)
        {
            new CheckResidues(to, residues.Length).Add(from, lanes);
        }

        return MemoryMarshal.AsBytes<uint>(residues).ToArray();
    }

    private static void FillWords(uint[] words, ref ulong state)
    {
        for (var i = 0; i < words.Length; i++)
        {
            // One in four is the largest word or zero: the interval's ends are where lazy reduction goes wrong.
            var drawn = Next(ref state);
            words[i] = (drawn & 7) switch
            {
                0 => Modular.Modulus - 1,
                1 => 0,
                _ => (uint)((drawn >> 8) % Modular.Modulus),
            };
        }
    }

    /// <summary>SplitMix64: a fixed sequence, not randomness.</summary>
    private static ulong Next(ref ulong state)
    {
        state += 0x9e3779b97f4a7c15UL;
        var z = state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
        return z ^ (z >> 31);
    }
}
