namespace LoraFhe.Cryptography.Tests;

/// <summary>Layers with reproducible weights.</summary>
internal static class TestLayers
{
    public static QuantizedLayer Make(int outFeatures, int inFeatures, int bits = 8, ulong seed = 1, bool extreme = false)
    {
        var largest = (1 << (bits - 1)) - 1;
        var codes = new short[outFeatures * inFeatures];
        var state = seed;
        for (var i = 0; i < codes.Length; i++)
        {
            var draw = Next(ref state);
            codes[i] = extreme ? (short)((draw & 1) == 0 ? largest : -largest) : (short)((int)(draw % (uint)((2 * largest) + 1)) - largest);
        }

        var scales = new float[outFeatures];
        for (var o = 0; o < outFeatures; o++)
        {
            scales[o] = 0.001f * (o + 1);
        }

        return QuantizedLayer.Create("model", "layer", bits, outFeatures, inFeatures, codes, scales);
    }

    /// <summary>Words in ±(q−1)/2, row-major [tokens, features]; about a third are extremes.</summary>
    public static int[] Words(int tokens, int features, ulong seed = 1)
    {
        var words = new int[tokens * features];
        var state = seed;
        for (var i = 0; i < words.Length; i++)
        {
            var draw = Next(ref state);
            words[i] = (draw % 9) switch
            {
                0 => EncryptedLinearParameters.HalfModulus,
                1 => -EncryptedLinearParameters.HalfModulus,
                2 => (draw & 0x10000) == 0 ? 0x7fff : -0x8000,
                _ => (int)(Next(ref state) % EncryptedLinearParameters.Modulus) - EncryptedLinearParameters.HalfModulus,
            };
        }

        return words;
    }

    public static PublicMatrixSeed Seed(byte value = 7)
    {
        var bytes = new byte[PublicMatrixSeed.Size];
        Array.Fill(bytes, value);
        return PublicMatrixSeed.FromBytes(bytes);
    }

    public static CallId Id(byte value = 3)
    {
        var bytes = new byte[CallId.Size];
        Array.Fill(bytes, value);
        return CallId.FromBytes(bytes);
    }

    /// <summary>A whole request with the given row-major words.</summary>
    public static byte[] Request(Binding binding, int[] words, int tokens, int features)
    {
        using var ciphertext = Ciphertext.Create(binding, Id(), features, tokens);
        var target = ciphertext.Words;
        for (var t = 0; t < tokens; t++)
        {
            for (var i = 0; i < features; i++)
            {
                target[(int)FeatureBlocks.WireIndex(i, t, features, tokens)] = words[(t * features) + i];
            }
        }

        return ciphertext.Bytes.ToArray();
    }

    // SplitMix64: Steele, Lea and Flood (2014).
    private static uint Next(ref ulong state)
    {
        state += 0x9e3779b97f4a7c15UL;
        var z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9UL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
        return (uint)((z ^ (z >> 31)) >> 32);
    }
}
