using System.Runtime.InteropServices;

namespace LoraFhe.Cryptography.Client;

/// <summary>A small fixed case with extreme words, run once at start by each candidate kernel and by the plain one. Nothing in it is secret.</summary>
internal static unsafe class KernelProbe
{
    private const int Degree = 64;
    private const int Tokens = 33;
    private const int Width = FeatureBlocks.Width;
    private const int Dimension = EncryptedLinearParameters.SecretDimension;

    /// <summary>All words, rows and check residues of one encryption and one decryption, and of both with a mask made ahead.</summary>
    public static byte[] Run(ClientKernel kernel)
    {
        var state = 0x9e3779b97f4a7c15UL;
        var matrix = new uint[Dimension * Width];
        var factors = new uint[Dimension];
        FillWords(matrix, ref state);
        FillWords(factors, ref state);
        var rows = new float[Tokens * Width];
        var errors = new sbyte[Degree * Width];
        var otherWords = new int[Tokens * Width];
        var otherRows = new float[Tokens * Width];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = ((int)(Next(ref state) % 2001) - 1000) * 0.37f;
            errors[i] = (sbyte)((int)(Next(ref state) % 43) - 21);
            otherWords[i] = (int)(Next(ref state) % Modular.Modulus) - EncryptedLinearParameters.HalfModulus;
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
        var tokenWeights = new int[Tokens * ResponseVerifier.TokenStride];
        for (var i = 0; i < tokenWeights.Length; i++)
        {
            tokenWeights[i] = (i % 5) switch
            {
                0 => -(1 << 20),
                1 => (1 << 20) - 1,
                _ => (int)(Next(ref state) % (1 << 20)),
            };
        }

        var sums = new long[4 * ResponseVerifier.FeatureSums];
        fixed (uint* m = matrix, f = factors, scratch = new uint[Degree * Width])
        fixed (int* w = words, weights = tokenWeights, masks = otherWords)
        fixed (float* r = rows, unmasked = otherRows)
        fixed (double* s = scales, c = channels)
        fixed (sbyte* e = errors)
        fixed (long* sum = sums)
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
                TokenWeights = weights,
                FeatureSums = sum,
                Scratch = scratch,
            };
            kernel.Encrypt(work);
            work.FeatureSums += ResponseVerifier.FeatureSums;

            // As if the ciphertext were a mask: its words fill the whole range.
            kernel.AddRows(work);
            work.FeatureSums += ResponseVerifier.FeatureSums;

            // Another hint than the matrix, so that what is decrypted fills the whole range.
            matrix[0] ^= 1;
            kernel.Decrypt(work);
            work.FeatureSums += ResponseVerifier.FeatureSums;
            work.Masks = masks;
            work.Rows = unmasked;
            kernel.SubtractMask(work);
            kernel.Transform(f, EncryptedLinearParameters.MaxRingDegree);
        }

        return [.. MemoryMarshal.AsBytes<uint>(factors), .. MemoryMarshal.AsBytes<int>(words), .. MemoryMarshal.AsBytes<float>(rows), .. MemoryMarshal.AsBytes<float>(otherRows), .. MemoryMarshal.AsBytes<long>(sums)];
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
