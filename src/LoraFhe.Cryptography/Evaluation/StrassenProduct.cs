using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace LoraFhe.Cryptography;

/// <summary>One Strassen level over a kernel: C = W·B modulo q by seven products of half the size instead of eight. Exact: sums of words
/// are reduced, sums of weights fit.</summary>
/// <remarks>Tokens go in groups whose sums stay near a core, a group a thread. Source: V. Strassen, Gaussian elimination is not optimal
/// (1969).</remarks>
internal static unsafe class StrassenProduct
{
    /// <summary>The most tokens of a group.</summary>
    public const int GroupTokens = 256;

    // The fewest: with fewer, weights are fetched more often than their products save.
    private const int MinGroupTokens = 128;

    /// <summary>Whether so many tokens on so many threads gain: an even number, and a whole group for each thread.</summary>
    public static bool Suits(int tokens, int maxThreads) =>
        tokens % 2 == 0 && tokens >= GroupTokens && tokens >= (long)MinGroupTokens * maxThreads;

    /// <summary>Multiplies.</summary>
    /// <param name="kernel">What packed the weights.</param>
    /// <param name="weights">The seven combinations.</param>
    /// <param name="source">B: whole blocks of features, an even number of tokens, words in ±(q−1)/2.</param>
    /// <param name="target">C: whole blocks; all of it is written.</param>
    /// <param name="maxThreads">The most threads, the caller's own included; at least 1.</param>
    public static void Multiply(IntegerGemm kernel, StrassenWeights weights, in WordMatrix source, in WordMatrix target, int maxThreads)
    {
        Debug.Assert(source.Features == 2 * weights.Inputs && target.Features == 2 * weights.Outputs);
        Debug.Assert(source.Tokens == target.Tokens && source.Tokens % 2 == 0);
        var (from, to) = (source, target);
        var pairs = source.Tokens / 2;
        var groups = (source.Tokens + GroupTokens - 1) / GroupTokens;
        groups = Math.Min((groups + maxThreads - 1) / maxThreads * maxThreads, pairs);
        BlockWorkers.Run(groups, maxThreads, (_, group) =>
        {
            var first = (int)((long)group * pairs / groups);
            var half = (int)((group + 1L) * pairs / groups) - first;
            MultiplyGroup(kernel, weights, from.Part(0, from.Features, first * 2, half * 2), to.Part(0, to.Features, first * 2, half * 2));
        });
    }

    // Strassen's M₁ to M₇: C₁₁ = M₁ + M₄ − M₅ + M₇, C₁₂ = M₃ + M₅, C₂₁ = M₂ + M₄, C₂₂ = M₁ − M₂ + M₃ + M₆.
    private static void MultiplyGroup(IntegerGemm kernel, StrassenWeights weights, WordMatrix b, WordMatrix c)
    {
        var (inputs, outputs, half) = (weights.Inputs, weights.Outputs, b.Tokens / 2);
        using var memory = NativeBuffer.Allocate(((long)inputs + outputs) * half * sizeof(int));
        var words = (int*)memory.Pointer;
        var sum = WordMatrix.OnTheWire(words, inputs, half);
        var product = WordMatrix.OnTheWire(words + ((long)inputs * half), outputs, half);
        var (b11, b12, b21, b22) = Quarters(b, inputs, half);
        var (c11, c12, c21, c22) = Quarters(c, outputs, half);

        Multiply(0, Add(b11, b22, sum), c11);
        Multiply(1, b11, c21);
        Multiply(2, Subtract(b12, b22, sum), c12);
        Combine(c11, c21, c12, c22);
        Multiply(3, Subtract(b21, b11, sum), product);
        Add(c11, product, c11);
        Add(c21, product, c21);
        Multiply(4, b22, product);
        Subtract(c11, product, c11);
        Add(c12, product, c12);
        Multiply(5, Add(b11, b12, sum), product);
        Add(c22, product, c22);
        Multiply(6, Add(b21, b22, sum), product);
        Add(c11, product, c11);

        void Multiply(int index, in WordMatrix from, in WordMatrix to) => kernel.Multiply(weights[index], from, to, 1, CancellationToken.None);
    }

    private static (WordMatrix M11, WordMatrix M12, WordMatrix M21, WordMatrix M22) Quarters(in WordMatrix matrix, int features, int tokens)
    {
        var block = features / FeatureBlocks.Width;
        return (matrix.Part(0, features, 0, tokens), matrix.Part(0, features, tokens, tokens),
            matrix.Part(block, features, 0, tokens), matrix.Part(block, features, tokens, tokens));
    }

    private static WordMatrix Add(in WordMatrix a, in WordMatrix b, in WordMatrix sum)
    {
        for (var block = 0; block < sum.Features / FeatureBlocks.Width; block++)
        {
            AddRow(a.At(block, 0), b.At(block, 0), sum.At(block, 0), sum.Tokens * FeatureBlocks.Width);
        }

        return sum;
    }

    private static WordMatrix Subtract(in WordMatrix a, in WordMatrix b, in WordMatrix difference)
    {
        for (var block = 0; block < difference.Features / FeatureBlocks.Width; block++)
        {
            SubtractRow(a.At(block, 0), b.At(block, 0), difference.At(block, 0), difference.Tokens * FeatureBlocks.Width);
        }

        return difference;
    }

    // target = a − b + c
    private static void Combine(in WordMatrix a, in WordMatrix b, in WordMatrix c, in WordMatrix target)
    {
        for (var block = 0; block < target.Features / FeatureBlocks.Width; block++)
        {
            var (count, line) = (target.Tokens * FeatureBlocks.Width, (nint)target.At(block, 0));
            SubtractRow(a.At(block, 0), b.At(block, 0), (int*)line, count);
            AddRow((int*)line, c.At(block, 0), (int*)line, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRow(int* a, int* b, int* sum, int count)
    {
        for (var i = 0; i < count; i += Vector256<int>.Count)
        {
            Reduce(Vector256.Load(a + i) + Vector256.Load(b + i)).Store(sum + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SubtractRow(int* a, int* b, int* difference, int count)
    {
        for (var i = 0; i < count; i += Vector256<int>.Count)
        {
            Reduce(Vector256.Load(a + i) - Vector256.Load(b + i)).Store(difference + i);
        }
    }

    // ±(q−1) to ±(q−1)/2.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Reduce(Vector256<int> word)
    {
        var modulus = Vector256.Create((int)Modular.Modulus);
        var half = Vector256.Create(EncryptedLinearParameters.HalfModulus);
        return word - (Vector256.GreaterThan(word, half) & modulus) + (Vector256.LessThan(word, -half) & modulus);
    }
}
