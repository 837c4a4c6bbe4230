using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Client;

/// <summary>Tells the product of these weights from anything else: three secret vectors u ∈ Z_q^outputs of the layer, t = uᵀW, and secret token weights ρ of the call; Σ_t ρ_t·(u·z_t) ≡ Σ_t ρ_t·(t·(x̂_t + e_t)).</summary>
/// <remarks>
/// With H = W·A exact, z − W(x̂ + e) = C − W·B modulo q, so this is Freivalds' check uᵀCρ ≡ tBρ with the mask taken off both sides: it covers the hint and the decryption as well, and
/// its sums need no reduction inside a group. A group's wrong answer passes one vector with probability at most 1/q (u is orthogonal to the difference) + 2⁻²¹ (ρ is, from 21 bits each), all
/// three with less than 2⁻⁶². Nobody but this object and the call's secret ever sees u, t or ρ.
/// Immutable and safe for use by several threads. Source: Freivalds (1979); docs/scheme.md, Verification.
/// </remarks>
internal sealed unsafe class ResponseVerifier : IDisposable
{
    /// <summary>Independent vectors.</summary>
    public const int Vectors = 3;

    /// <summary>Ints a token's weights take: three, and one of padding.</summary>
    public const int TokenStride = 4;

    /// <summary>Bits of a token's weight: within ±2²⁰.</summary>
    public const int TokenWeightBits = 21;

    /// <summary>64-bit sums of one block: three vectors of 16 features.</summary>
    public const int FeatureSums = Vectors * FeatureBlocks.Width;

    // Columns or rows of W that one thread takes at a time.
    private const int Stretch = 64;

    private const int DrawBytes = 21 * SecretStream.BlockSize;

    private readonly SecretMemory _inputWeights;
    private readonly SecretMemory _outputWeights;

    private ResponseVerifier(SecretMemory inputWeights, SecretMemory outputWeights) =>
        (_inputWeights, _outputWeights) = (inputWeights, outputWeights);

    /// <summary>t, [inputs rounded up to 16][3], in [0, q).</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public uint* InputWeights => (uint*)_inputWeights.Pointer;

    /// <summary>u, [outputs rounded up to 16][3], in [0, q).</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public uint* OutputWeights => (uint*)_outputWeights.Pointer;

    /// <summary>Where a kernel puts the sum of one vector and feature: even places before odd, as widening products leave them.</summary>
    public static int SumIndex(int vector, int lane) => (vector * FeatureBlocks.Width) + (lane % 2 * (FeatureBlocks.Width / 2)) + (lane / 2);

    /// <summary>Draws u and computes t.</summary>
    public static ResponseVerifier Create(QuantizedLayer layer, LayerDirection direction, SecretSource source, int maxThreads)
    {
        var (inputs, outputs) = (layer.Inputs(direction), layer.Outputs(direction));
        var inputWeights = new SecretMemory(checked(FeatureBlocks.Count(inputs) * FeatureBlocks.Width * Vectors * sizeof(uint)));
        var outputWeights = new SecretMemory(checked(FeatureBlocks.Count(outputs) * FeatureBlocks.Width * Vectors * sizeof(uint)));
        var verifier = new ResponseVerifier(inputWeights, outputWeights);
        try
        {
            var u = verifier.OutputWeights;
            var t = verifier.InputWeights;
            Draw(new LayerId(layer.Name, direction), source, new Span<uint>(u, outputs * Vectors));
            BlockWorkers.Run(((inputs - 1) / Stretch) + 1, maxThreads, (_, piece) =>
            {
                var first = piece * Stretch;
                Multiply(layer, direction, u, t, first, Math.Min(Stretch, inputs - first));
            });
            return verifier;
        }
        catch
        {
            verifier.Dispose();
            throw;
        }
    }

    /// <summary>A call's token weights from its key.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="scratch">Room for random bytes.</param>
    /// <param name="weights">[tokens][<see cref="TokenStride"/>].</param>
    public static void DrawTokenWeights(ReadOnlySpan<byte> key, WorkerScratch scratch, Span<int> weights)
    {
        const int batch = WorkerScratch.RandomBytes / sizeof(int);
        using var stream = SecretStream.Create(key);
        for (uint number = 0; !weights.IsEmpty; number++)
        {
            var count = Math.Min(batch, weights.Length);
            var bytes = ((count * sizeof(int)) + SecretStream.BlockSize - 1) / SecretStream.BlockSize * SecretStream.BlockSize;
            stream.Fill(number, 0, scratch.Random, bytes);
            var words = MemoryMarshal.Cast<byte, int>(scratch.Random);
            for (var i = 0; i < count; i++)
            {
                weights[i] = (words[i] & ((1 << TokenWeightBits) - 1)) - (1 << (TokenWeightBits - 1));
            }

            weights = weights[count..];
        }
    }

    /// <summary>Compares both sides. Looks at all before it answers, and answers nothing but yes or no.</summary>
    public static bool Agree(ReadOnlySpan<uint> expected, ReadOnlySpan<uint> found)
    {
        var difference = expected.Length ^ found.Length;
        for (var i = 0; i < expected.Length; i++)
        {
            difference |= (int)(expected[i] ^ found[i]);
        }

        return difference == 0;
    }

    /// <summary>Zeroes the vectors.</summary>
    public void Dispose()
    {
        _inputWeights.Dispose();
        _outputWeights.Dispose();
    }

    /// <summary>Uniform numbers modulo q, by rejection.</summary>
    private static void Draw(LayerId layer, SecretSource source, Span<uint> destination)
    {
        Span<byte> key = stackalloc byte[KeyDerivation.KeySize];
        var bytes = GC.AllocateUninitializedArray<byte>(DrawBytes, pinned: true);
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
                        destination[count++] = word;
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

    /// <summary>t[j] = Σ_o u[o]·W[o, j] for a stretch of inputs: u &lt; 2³¹, |W| &lt; 2¹¹, so 2²¹ terms fit 64 bits.</summary>
    private static void Multiply(QuantizedLayer layer, LayerDirection direction, uint* u, uint* t, int first, int count)
    {
        var codes = layer.Codes;
        var columns = layer.InFeatures;
        var sums = stackalloc long[Stretch * Vectors];
        new Span<long>(sums, Stretch * Vectors).Clear();
        if (direction == LayerDirection.Forward)
        {
            for (var o = 0; o < layer.OutFeatures; o++)
            {
                long u0 = u[Vectors * o], u1 = u[(Vectors * o) + 1], u2 = u[(Vectors * o) + 2];
                var row = codes.Slice((o * columns) + first, count);
                for (var j = 0; j < row.Length; j++)
                {
                    sums[Vectors * j] += u0 * row[j];
                    sums[(Vectors * j) + 1] += u1 * row[j];
                    sums[(Vectors * j) + 2] += u2 * row[j];
                }
            }
        }
        else
        {
            for (var j = 0; j < count; j++)
            {
                long t0 = 0, t1 = 0, t2 = 0;
                var row = codes.Slice((first + j) * columns, columns);
                for (var i = 0; i < row.Length; i++)
                {
                    t0 += (long)u[Vectors * i] * row[i];
                    t1 += (long)u[(Vectors * i) + 1] * row[i];
                    t2 += (long)u[(Vectors * i) + 2] * row[i];
                }

                (sums[Vectors * j], sums[(Vectors * j) + 1], sums[(Vectors * j) + 2]) = (t0, t1, t2);
            }
        }

        for (var i = 0; i < count * Vectors; i++)
        {
            t[(first * Vectors) + i] = SecretWord.Reduce(sums[i]);
        }

        new Span<long>(sums, Stretch * Vectors).Clear();
    }
}
