using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Client;

/// <summary>Tells the product of these weights from anything else: two secret vectors u ∈ Z_q^outputs, t = uᵀW, and u·z ≡ t·(x̂ + e) for every token.</summary>
/// <remarks>
/// With H = W·A exact, z − W(x̂ + e) = C − W·B modulo q, so this is Freivalds' check uᵀC ≡ tB with the mask taken off both sides; the right side is then a sum of numbers of 24 bits instead of 31,
/// and the check covers the hint and the decryption as well. A wrong response passes with probability q⁻², about 2⁻⁶², over the choice of u, which nobody but this object ever sees.
/// Immutable and safe for use by several threads. Source: Freivalds (1979); docs/scheme.md, Verification.
/// </remarks>
internal sealed unsafe class ResponseVerifier : IDisposable
{
    private const int Vectors = ClientKernel.EncryptVectors;
    private const int LimbBits = 16;

    // Columns or rows of W that one thread takes at a time.
    private const int Stretch = 64;

    private readonly SecretMemory _encryptWeights;
    private readonly SecretMemory _decryptWeights;

    private ResponseVerifier(SecretMemory encryptWeights, SecretMemory decryptWeights) =>
        (_encryptWeights, _decryptWeights) = (encryptWeights, decryptWeights);

    /// <summary>Draws u, computes t, keeps both in the order the kernels read.</summary>
    public static ResponseVerifier Create(QuantizedLayer layer, LayerDirection direction, SecretSource source, int maxThreads)
    {
        var (inputs, outputs) = (layer.Inputs(direction), layer.Outputs(direction));
        var encryptWeights = new SecretMemory(checked(FeatureBlocks.Count(inputs) * ClientKernel.EncryptVectors * ClientKernel.CheckBlock * sizeof(int)));
        var decryptWeights = new SecretMemory(checked(FeatureBlocks.Count(outputs) * ClientKernel.DecryptVectors * ClientKernel.CheckBlock * sizeof(int)));
        using var vectors = new SecretMemory(checked(outputs * Vectors * sizeof(int)));
        using var products = new SecretMemory(checked(inputs * Vectors * sizeof(long)));
        var u = (int*)vectors.Pointer;
        var t = (long*)products.Pointer;
        Draw(new LayerId(layer.Name, direction), source, new Span<int>(u, outputs * Vectors));
        BlockWorkers.Run((inputs + Stretch - 1) / Stretch, maxThreads, (_, piece) =>
        {
            var first = piece * Stretch;
            Multiply(layer, direction, u, t, first, Math.Min(Stretch, inputs - first));
        });

        for (var v = 0; v < Vectors; v++)
        {
            for (var j = 0; j < inputs; j++)
            {
                Place(encryptWeights, ClientKernel.EncryptVectors, v, j, Modular.Reduce(t[(j * Vectors) + v]));
            }

            for (var o = 0; o < outputs; o++)
            {
                // u = high·2¹⁶ + low: a product with a word of 30 bits leaves room for 2¹⁵ of them in 64 bits.
                var value = u[(o * Vectors) + v];
                Place(decryptWeights, ClientKernel.DecryptVectors, 2 * v, o, value & ((1 << LimbBits) - 1));
                Place(decryptWeights, ClientKernel.DecryptVectors, (2 * v) + 1, o, value >> LimbBits);
            }
        }

        return new ResponseVerifier(encryptWeights, decryptWeights);
    }

    /// <summary>t for one block of inputs.</summary>
    public int* EncryptWeights(int block) => (int*)_encryptWeights.Pointer + (block * ClientKernel.EncryptVectors * ClientKernel.CheckBlock);

    /// <summary>u in limbs for one block of outputs.</summary>
    public int* DecryptWeights(int block) => (int*)_decryptWeights.Pointer + (block * ClientKernel.DecryptVectors * ClientKernel.CheckBlock);

    /// <summary>Compares both sides for all tokens. Looks at all before it answers, and answers nothing but yes or no.</summary>
    /// <param name="expected">t·(x̂ + e) modulo q, [tokens][2].</param>
    /// <param name="found">u·z in limbs modulo q, [tokens][4].</param>
    public static bool Agree(ReadOnlySpan<uint> expected, ReadOnlySpan<uint> found)
    {
        var difference = 0u;
        for (var i = 0; i < expected.Length; i++)
        {
            var low = found[2 * i];
            var high = Modular.Multiply(found[(2 * i) + 1], 1u << LimbBits);
            difference |= expected[i] ^ Modular.Add(low, high);
        }

        return difference == 0;
    }

    /// <summary>Zeroes the vectors.</summary>
    public void Dispose()
    {
        _encryptWeights.Dispose();
        _decryptWeights.Dispose();
    }

    /// <summary>Uniform numbers modulo q, centered, by rejection.</summary>
    private static void Draw(LayerId layer, SecretSource source, Span<int> destination)
    {
        Span<byte> key = stackalloc byte[KeyDerivation.KeySize];
        var bytes = GC.AllocateUninitializedArray<byte>(16 * SecretStream.BlockSize, pinned: true);
        try
        {
            source.DrawVerifierKey(layer, key);
            using var stream = SecretStream.Create(key);
            var count = 0;
            for (uint number = 0; count < destination.Length; number++)
            {
                stream.Fill(number, 0, bytes, bytes.Length);
                for (var i = 0; i < bytes.Length && count < destination.Length; i += sizeof(uint))
                {
                    var word = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(i)) & int.MaxValue;
                    if (word < Modular.Modulus)
                    {
                        destination[count++] = Modular.Center(word);
                    }
                }
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>t[j] = Σ_o u[o]·W[o, j] for a stretch of inputs: |u| &lt; 2³⁰, |W| &lt; 2¹¹, so 2²² terms fit.</summary>
    private static void Multiply(QuantizedLayer layer, LayerDirection direction, int* u, long* t, int first, int count)
    {
        var codes = layer.Codes;
        var columns = layer.InFeatures;
        if (direction == LayerDirection.Backward)
        {
            for (var o = first; o < first + count; o++)
            {
                long t0 = 0, t1 = 0;
                var row = codes.Slice(o * columns, columns);
                for (var i = 0; i < row.Length; i++)
                {
                    t0 += (long)u[2 * i] * row[i];
                    t1 += (long)u[(2 * i) + 1] * row[i];
                }

                (t[2 * o], t[(2 * o) + 1]) = (t0, t1);
            }

            return;
        }

        for (var o = 0; o < layer.OutFeatures; o++)
        {
            long u0 = u[2 * o], u1 = u[(2 * o) + 1];
            var row = codes.Slice((o * columns) + first, count);
            for (var j = 0; j < row.Length; j++)
            {
                t[2 * (first + j)] += u0 * row[j];
                t[(2 * (first + j)) + 1] += u1 * row[j];
            }
        }
    }

    private static void Place(SecretMemory table, int vectors, int vector, int feature, int value)
    {
        var (block, lane) = (feature / FeatureBlocks.Width, feature % FeatureBlocks.Width);
        var words = MemoryMarshal.Cast<byte, int>(table.Bytes).Slice(((block * vectors) + vector) * ClientKernel.CheckBlock, ClientKernel.CheckBlock);
        words[lane] = value;
        if (lane % 2 == 1)
        {
            words[FeatureBlocks.Width + lane - 1] = value;
        }
    }
}
