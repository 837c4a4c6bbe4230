using System.Runtime.InteropServices;

namespace LoraFhe.Cryptography.Client.Tests.Protocol;

public sealed class EncryptedLinearClientTests
{
    [Theory]
    [InlineData(LayerDirection.Forward)]
    [InlineData(LayerDirection.Backward)]
    public void A_zero_row_decrypts_to_exactly_zero(LayerDirection direction)
    {
        using var session = new Session(Layers.Random(20, 20, 8, 1), direction, insecureSeed: null);
        var rows = Layers.Rows(5, 20, 2);
        rows.AsSpan(40, 20).Clear();
        var answer = session.Run(rows, 5);
        Assert.All(answer.AsSpan(40, 20).ToArray(), static x => Assert.Equal(0, x));
        Assert.DoesNotContain(0, answer.AsSpan(0, 40).ToArray());
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_value_that_is_not_finite_is_refused_before_anything_is_drawn(float value)
    {
        var layer = Layers.Random(3, 50, 8, 1, "h.3.mlp.c_fc");
        using var matrix = Layers.Matrix(PublicMatrixSeed.Generate(), 3);
        using var hint = Layers.HintOf(layer, LayerDirection.Backward, matrix);
        var source = new CountingSource();
        using var client = EncryptedLinearClient.Create(layer, LayerDirection.Backward, matrix, hint, source, ClientKernels.Best);
        for (var place = 0; place < 6; place++)
        {
            var rows = new float[6];
            rows[place] = value;
            var error = Assert.Throws<ArgumentException>(() => client.Encrypt(rows, 2));
            Assert.Equal("Layer 'h.3.mlp.c_fc', backward: the gradient has a value that is not finite. Nothing was sent. (Parameter 'rows')", error.Message);
        }

        Assert.Equal(0, source.Roots);
        client.Encrypt(new float[6], 2).Dispose();
        Assert.Equal(1, source.Roots);
    }

    [Theory]
    [InlineData(1e-45f)]
    [InlineData(1e-40f)]
    [InlineData(1e-20f)]
    [InlineData(1f)]
    [InlineData(1e30f)]
    public void Rows_of_every_magnitude_are_answered(float magnitude)
    {
        foreach (var direction in (LayerDirection[])[LayerDirection.Forward, LayerDirection.Backward])
        {
            var layer = QuantizedLayer.Create("tests", "layer", 8, 2, 2, [100, 50, -20, 127], [1, 1]);
            using var session = new Session(layer, direction, insecureSeed: null);
            var answer = session.Run([magnitude, magnitude], 1);
            double[] expected = direction == LayerDirection.Forward ? [150.0 * magnitude, 107.0 * magnitude] : [80.0 * magnitude, 177.0 * magnitude];
            for (var o = 0; o < 2; o++)
            {
                Assert.Equal(expected[o], answer[o], (expected[o] * 1e-4) + 1e-45);
            }
        }
    }

    [Fact]
    public void Rows_of_mixed_magnitudes_do_not_disturb_each_other()
    {
        using var session = new Session(Layers.Random(8, 8, 8, 3), LayerDirection.Forward, insecureSeed: null);
        var plain = Layers.Rows(1, 8, 1);
        float[] rows = [.. plain, .. plain.Select(static x => x * 1e30f), .. plain.Select(static x => x * 1e-30f)];
        var answer = session.Run(rows, 3);
        for (var o = 0; o < 8; o++)
        {
            var scale = answer.Take(8).Max(Math.Abs);
            Assert.Equal(answer[o], answer[8 + o] / 1e30f, scale * 1e-3);
            Assert.Equal(answer[o], answer[16 + o] * 1e30f, scale * 1e-3);
        }
    }

    [Fact]
    public void The_same_rows_never_give_the_same_ciphertext()
    {
        using var session = new Session(Layers.Random(4, 4, 8, 3), LayerDirection.Forward, insecureSeed: null);
        var rows = Layers.Rows(3, 4, 1);
        using var first = session.Client.Encrypt(rows, 3);
        using var second = session.Client.Encrypt(rows, 3);
        var (a, b) = (Words(first), Words(second));
        Assert.True(a.Zip(b).Count(static pair => pair.First == pair.Second) <= 1);
        Assert.NotEqual(first.Ciphertext.Id, second.Ciphertext.Id);
    }

    [Fact]
    public void Chosen_randomness_repeats_a_ciphertext_on_any_number_of_threads_and_by_any_kernel()
    {
        var layer = Layers.Random(40, 100, 8, 3);
        var rows = Layers.Rows(600, 100, 1);
        var expected = Encrypt(ClientKernels.Best, 1, out var expectedAnswer);
        foreach (var kernel in ClientKernels.Supported())
        {
            foreach (var threads in (int[])[1, 3])
            {
                Assert.Equal(expected, Encrypt(kernel, threads, out var answer));
                Assert.Equal(expectedAnswer, answer);
            }
        }

        int[] Encrypt(ClientKernel kernel, int threads, out float[] answer)
        {
            using var session = new Session(layer, LayerDirection.Forward, insecureSeed: 5, kernel, maxThreads: threads);
            using var call = session.Client.Encrypt(rows, 600);
            answer = new float[600 * 40];
            call.Decryption.Decrypt(session.Answer(call), answer);
            return Words(call);
        }
    }

    [Fact]
    public void Other_rows_under_chosen_randomness_share_no_mask()
    {
        using var session = new Session(Layers.Random(4, 4, 8, 3), LayerDirection.Forward, insecureSeed: 5);
        float[] rows = [1, 2, 3, 4], near = [1, 2, 3, 4.0000005f];
        using var first = session.Client.Encrypt(rows, 1);
        using var second = session.Client.Encrypt(near, 1);
        Assert.All(Words(first).Zip(Words(second)), static pair => Assert.True(Math.Abs((long)pair.First - pair.Second) > 1000));
    }

    [Fact]
    public void Words_spread_over_the_whole_range()
    {
        // A fixed sample: the mean of |word|/((q−1)/2) over 20,000 uniform words is ½ ± 0.002 (one standard deviation); bound five.
        using var session = new Session(Layers.Random(4, 40, 8, 3), LayerDirection.Forward, insecureSeed: 9);
        using var call = session.Client.Encrypt(new float[500 * 40], 500);
        var mean = Words(call).Average(static w => Math.Abs((double)w) / EncryptedLinearParameters.HalfModulus);
        Assert.InRange(mean, 0.49, 0.51);
        Assert.All(Words(call), static w => Assert.InRange(w, -EncryptedLinearParameters.HalfModulus, EncryptedLinearParameters.HalfModulus));
    }

    [Fact]
    public void A_calibrated_norm_answers_longer_rows_as_if_they_ended_there()
    {
        var layer = QuantizedLayer.Create("tests", "layer", 8, 1, 2, [100, 0], [1]);
        using var session = new Session(layer, LayerDirection.Forward, insecureSeed: null, fixedNorm: 2);
        var answer = session.Run([1, 0, 200, 0, 0, 0], 3);
        Assert.Equal(100, answer[0], 0.1);
        Assert.Equal(200, answer[1], 0.1);
        Assert.Equal(0, answer[2]);
        Assert.Equal(1, session.Client.ClampedRows);
    }

    [Fact]
    public void Calls_may_run_in_parallel()
    {
        var layer = Layers.Random(30, 30, 8, 3);
        using var session = new Session(layer, LayerDirection.Forward, insecureSeed: null, maxThreads: 2);
        var rows = Layers.Rows(20, 30, 1);
        var expected = session.Run(rows, 20);
        var bound = expected.Max(Math.Abs) * 1e-3;
        Parallel.For(0, 16, _ =>
        {
            var answer = session.Run(rows, 20);
            for (var i = 0; i < answer.Length; i++)
            {
                Assert.Equal(expected[i], answer[i], bound);
            }
        });
    }

    [Fact]
    public void Wrong_arguments_are_refused()
    {
        var layer = Layers.Random(3, 20, 8, 1);
        using var narrow = Layers.Matrix(PublicMatrixSeed.Generate(), 3);
        using var wide = Layers.Matrix(narrow.Seed, 20);
        using var other = Layers.Matrix(PublicMatrixSeed.Generate(), 20);
        using var hint = Layers.HintOf(layer, LayerDirection.Forward, wide);
        Assert.Throws<ArgumentException>("a", () => EncryptedLinearClient.Create(layer, LayerDirection.Forward, narrow, hint));
        Assert.Throws<ArgumentException>("hint", () => EncryptedLinearClient.Create(layer, LayerDirection.Forward, other, hint));
        Assert.Throws<ArgumentException>("hint", () => EncryptedLinearClient.Create(layer, LayerDirection.Backward, wide, hint));
        Assert.Throws<ArgumentOutOfRangeException>("maxThreads", () => EncryptedLinearClient.Create(layer, LayerDirection.Forward, wide, hint, maxThreads: -1));
        Assert.Throws<ArgumentOutOfRangeException>("fixedNorm", () => EncryptedLinearClient.Create(layer, LayerDirection.Forward, wide, hint, fixedNorm: 0));
        Assert.Throws<ArgumentNullException>("layer", () => EncryptedLinearClient.Create(null!, LayerDirection.Forward, wide, hint));
        using var client = EncryptedLinearClient.Create(layer, LayerDirection.Forward, wide, hint);
        Assert.Throws<ArgumentOutOfRangeException>("tokens", () => client.Encrypt([], 0));
        Assert.Throws<ArgumentException>("rows", () => client.Encrypt(new float[19], 1));
    }

    [Fact]
    public void Disposing_what_a_call_needs_is_told_as_such()
    {
        var layer = Layers.Random(3, 4, 8, 1);
        var matrix = Layers.Matrix(PublicMatrixSeed.Generate(), 4);
        var hint = Layers.HintOf(layer, LayerDirection.Forward, matrix);
        var client = EncryptedLinearClient.Create(layer, LayerDirection.Forward, matrix, hint);
        using var evaluator = new LinearEvaluator(layer, LayerDirection.Forward, client.Binding, 1);
        var response = new byte[LinearEvaluator.ResponseLength(3, 1)];
        using var pending = client.Encrypt(new float[4], 1);
        using var late = client.Encrypt(new float[4], 1);
        evaluator.Evaluate(pending.Ciphertext.Bytes, response);
        matrix.Dispose();
        Assert.Throws<ObjectDisposedException>(() => client.Encrypt(new float[4], 1));
        pending.Decryption.Decrypt(response, new float[3]);
        client.Dispose();
        client.Dispose();
        evaluator.Evaluate(late.Ciphertext.Bytes, response);
        Assert.Throws<ObjectDisposedException>(() => late.Decryption.Decrypt(response, new float[3]));
        Assert.Throws<ObjectDisposedException>(() => client.Encrypt(new float[4], 1));
        hint.Dispose();
        hint.Dispose();
    }

    private static int[] Words(EncryptedCall call) => MemoryMarshal.Cast<byte, int>(call.Ciphertext.Bytes[MessageHeader.Size..]).ToArray();

    private sealed class CountingSource : SecretSource
    {
        public int Roots { get; private set; }

        public override void DrawTagKey(Span<byte> destination) => KernelSecretSource.Instance.DrawTagKey(destination);

        public override void DrawRoot(LayerId layer, ReadOnlySpan<byte> tags, Span<byte> root)
        {
            Roots++;
            KernelSecretSource.Instance.DrawRoot(layer, tags, root);
        }

        public override void DrawRootAhead(LayerId layer, Span<byte> root) => KernelSecretSource.Instance.DrawRootAhead(layer, root);

        public override void DrawVerifierKey(LayerId layer, Span<byte> key) => KernelSecretSource.Instance.DrawVerifierKey(layer, key);
    }
}
