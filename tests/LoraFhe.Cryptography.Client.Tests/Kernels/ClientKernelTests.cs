using System.Runtime.Intrinsics;
using CsCheck;

namespace LoraFhe.Cryptography.Client.Tests.Kernels;

/// <summary>Every kernel this processor runs, against the plain one: equal bits.</summary>
public sealed unsafe class ClientKernelTests
{
    private const int Width = FeatureBlocks.Width;

    public static TheoryData<string> Kernels => [.. ClientKernels.Supported().Select(static k => k.Name)];

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Encryption_and_decryption_of_a_block_equal_the_reference(string name)
    {
        Gen.Select(Gen.Int[0, 3], Gen.Int[1, 512], Gen.ULong).Sample(
            (log, tokens, seed) =>
            {
                var degree = 64 << log;
                var expected = Run(new ReferenceKernel(), degree, Math.Min(tokens, degree), seed);
                Assert.Equal(expected, Run(Find(name), degree, Math.Min(tokens, degree), seed));
            },
            iter: 12);
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Rows_added_to_masks_and_masks_taken_off_equal_the_reference(string name)
    {
        Gen.Select(Gen.Int[1, 512], Gen.ULong).Sample(
            (tokens, seed) => Assert.Equal(RunAhead(new ReferenceKernel(), tokens, seed), RunAhead(Find(name), tokens, seed)),
            iter: 20);
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void The_transform_equals_the_reference_and_inverts(string name)
    {
        foreach (var degree in (int[])[64, 128, 256, 512])
        {
            var values = Words(degree, (ulong)degree);
            var expected = values.ToArray();
            NegacyclicTransform.OfDegree(degree).ForwardReference(expected);
            var found = values.ToArray();
            fixed (uint* pointer = found)
            {
                Find(name).Transform(pointer, degree);
            }

            Assert.Equal(expected, found);
            NegacyclicTransform.OfDegree(degree).InverseReference(found);
            Assert.Equal(values, found);
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Encoding_equals_the_reference(string name)
    {
        Gen.Select(Gen.Int[1, 70], Gen.Double[0.001, 1e6], Gen.ULong).Sample(
            (features, scale, seed) =>
            {
                var row = Layers.Rows(1, features, seed);
                var channels = row.Select(static x => Math.Abs((double)x) + 0.1).ToArray();
                var errors = row.Select(static (_, i) => (sbyte)((i * 7 % 43) - 21)).ToArray();
                Assert.Equal(Encode(new ReferenceKernel(), row, channels, scale, errors), Encode(Find(name), row, channels, scale, errors));
            },
            iter: 200);
    }

    [Fact]
    public void The_best_kernel_is_the_first_supported_and_none_was_passed_over()
    {
        Assert.Equal(ClientKernels.Supported().First().Name, ClientKernels.Best.Name);
        Assert.Empty(ClientKernels.Choice.Rejected);
    }

    [Fact]
    public void The_portable_kernels_run_on_every_machine()
    {
        var names = ClientKernels.Supported().Select(static k => k.Name).ToArray();
        Assert.Contains("Portable256", names);
        Assert.Contains("Portable512", names);
        Assert.Equal(names.Length, names.Distinct().Count());
    }

    [Fact]
    public void Secret_words_are_reduced_as_the_plain_arithmetic_does()
    {
        uint[] ends = [0, 1, Modular.Modulus / 2, Modular.Modulus - 2, Modular.Modulus - 1];
        foreach (var a in ends)
        {
            foreach (var b in ends)
            {
                Assert.Equal((uint)(((ulong)a + b) % Modular.Modulus), SecretWord.Add(a, b));
                Assert.Equal((uint)(((ulong)a + Modular.Modulus - b) % Modular.Modulus), SecretWord.Subtract(a, b));
                Assert.Equal((uint)((ulong)a * b % Modular.Modulus), SecretWord.Multiply(a, b));
                Assert.Equal((uint)((ulong)a * b % Modular.Modulus), SecretWord.Multiply(a, b, Modular.ShoupQuotient(b)));
            }
        }

        foreach (var value in (long[])[0, 1, -1, long.MaxValue, long.MinValue, Modular.Modulus, -(long)Modular.Modulus, 1L << 59])
        {
            var expected = (uint)(((value % Modular.Modulus) + Modular.Modulus) % Modular.Modulus);
            Assert.Equal(expected, SecretWord.Reduce(value));
        }
    }

    [Fact]
    public void The_smaller_by_its_borrow_is_the_smaller()
    {
        uint[] ends = [0, 1, 0x7fffffff, 0x80000000, 0x80000001, uint.MaxValue - 1, uint.MaxValue, Modular.Modulus];
        foreach (var a in ends)
        {
            foreach (var b in ends)
            {
                Assert.Equal(Vector256.Create(Math.Min(a, b)), Portable256Lanes.MinByBorrow(Vector256.Create(a), Vector256.Create(b)));
            }
        }
    }

    private static ClientKernel Find(string name) => ClientKernels.Supported().Single(k => k.Name == name);

    private static uint[] Words(int count, ulong seed)
    {
        var random = new SplitMix(seed);
        var words = new uint[count];
        for (var i = 0; i < count; i++)
        {
            var drawn = random.Next();
            words[i] = (drawn & 7) == 0 ? Modular.Modulus - 1 : (uint)((drawn >> 8) % Modular.Modulus);
        }

        return words;
    }

    private static List<string> Run(ClientKernel kernel, int degree, int tokens, ulong seed)
    {
        var random = new SplitMix(seed);
        var rows = Layers.Rows(tokens, Width, seed);
        var errors = new sbyte[degree * Width];
        var weights = new int[tokens * ResponseVerifier.TokenStride];
        var scales = new double[tokens];
        for (var i = 0; i < errors.Length; i++)
        {
            errors[i] = (sbyte)random.Between(-21, 21);
        }

        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = random.Between(-(1 << 20), (1 << 20) - 1);
        }

        for (var t = 0; t < tokens; t++)
        {
            scales[t] = random.Between(0, 3) * 700_000.0;
        }

        var channels = Enumerable.Range(1, Width).Select(static i => 1.0 / i).ToArray();
        var words = new int[tokens * Width];
        long[] encrypted = new long[ResponseVerifier.FeatureSums], decrypted = new long[ResponseVerifier.FeatureSums];
        uint[] matrix = Words(EncryptedLinearParameters.SecretDimension * Width, seed + 1), hint = Words(matrix.Length, seed + 2);
        fixed (uint* a = matrix, h = hint, f = Words(EncryptedLinearParameters.SecretDimension, seed + 3), scratch = new uint[degree * Width])
        fixed (int* w = words, tokenWeights = weights)
        fixed (float* r = rows)
        fixed (double* s = scales, c = channels)
        fixed (sbyte* e = errors)
        fixed (long* first = encrypted, second = decrypted)
        {
            var work = new BlockWork
            {
                Matrix = a,
                Factors = f,
                Degree = degree,
                Tokens = tokens,
                Words = w,
                Rows = r,
                RowStride = Width,
                TokenScales = s,
                Channels = c,
                Errors = e,
                TokenWeights = tokenWeights,
                FeatureSums = first,
                Scratch = scratch,
            };
            kernel.Encrypt(work);
            Assert.All(words, static word => Assert.InRange(word, -EncryptedLinearParameters.HalfModulus, EncryptedLinearParameters.HalfModulus));
            work.Matrix = h;
            work.FeatureSums = second;
            kernel.Decrypt(work);
        }

        return [string.Join(' ', words), string.Join(' ', rows), string.Join(' ', encrypted), string.Join(' ', decrypted)];
    }

    private static List<string> RunAhead(ClientKernel kernel, int tokens, ulong seed)
    {
        var random = new SplitMix(seed);
        var rows = Layers.Rows(tokens, Width, seed);
        var weights = Enumerable.Range(0, tokens * ResponseVerifier.TokenStride).Select(_ => random.Between(-(1 << 20), (1 << 20) - 1)).ToArray();

        // The last scale is beyond every range: such a code is cut to the largest.
        var scales = Enumerable.Range(0, tokens).Select(t => t % 5 * 3e8).ToArray();
        var channels = Enumerable.Range(1, Width).Select(static i => 1.0 / i).ToArray();
        var words = Words(tokens * Width, seed + 1).Select(Modular.Center).ToArray();
        var masks = Words(tokens * Width, seed + 2).Select(Modular.Center).ToArray();
        var sums = new long[2 * ResponseVerifier.FeatureSums];
        var answers = new float[rows.Length];
        fixed (int* w = words, m = masks, tokenWeights = weights)
        fixed (float* r = rows, a = answers)
        fixed (double* s = scales, c = channels)
        fixed (long* sum = sums)
        {
            var work = new BlockWork
            {
                Tokens = tokens,
                Words = w,
                Masks = m,
                Rows = r,
                RowStride = Width,
                TokenScales = s,
                Channels = c,
                TokenWeights = tokenWeights,
                FeatureSums = sum,
            };
            kernel.AddRows(work);
            Assert.All(words, static word => Assert.InRange(word, -EncryptedLinearParameters.HalfModulus, EncryptedLinearParameters.HalfModulus));
            work.Rows = a;
            work.FeatureSums += ResponseVerifier.FeatureSums;
            kernel.SubtractMask(work);
        }

        return [string.Join(' ', words), string.Join(' ', answers), string.Join(' ', sums)];
    }

    private static List<string> Encode(ClientKernel kernel, float[] row, double[] channels, double scale, sbyte[] errors)
    {
        var codes = new int[row.Length];
        float[] quantized = new float[row.Length], noisy = new float[row.Length];
        fixed (float* x = row, y = quantized, z = noisy)
        fixed (double* c = channels)
        fixed (int* k = codes)
        fixed (sbyte* e = errors)
        {
            kernel.Encode(x, c, scale, k, row.Length);
            kernel.Quantize(x, c, scale, 1 / scale, null, y, row.Length);
            kernel.Quantize(x, c, scale, 1 / scale, e, z, row.Length);
        }

        return [string.Join(' ', codes), string.Join(' ', quantized), string.Join(' ', noisy)];
    }
}
