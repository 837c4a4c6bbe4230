using System.Runtime.InteropServices;
using CsCheck;

namespace LoraFhe.Cryptography.Client.Tests.Protocol;

public sealed unsafe class MaskAheadTests
{
    private static readonly QuantizedLayer Small = Layers.Random(3, 4, 8, 1, "fc1");

    [Fact]
    public void The_ciphertext_and_the_answer_are_those_of_the_one_pass_way()
    {
        Gen.Select(Gen.Int[1, 1100], Gen.Int[1, 60], Gen.Int[1, 60], Gen.Bool, Gen.ULong).Sample(
            (tokens, outputs, inputs, backward, seed) =>
            {
                var direction = backward ? LayerDirection.Backward : LayerDirection.Forward;
                using var session = new Session(Layers.Random(outputs, inputs, 8, seed), direction, source: new RepeatedRoot(seed));
                var rows = Layers.Rows(tokens, session.Client.Inputs, seed + 1);
                rows.AsSpan(0, session.Client.Inputs).Clear();
                using var expected = session.Client.Encrypt(rows, tokens);
                using var mask = session.Client.MakeMask(tokens);
                using var found = session.Client.Encrypt(rows, mask);
                Assert.Equal(Words(expected), Words(found));
                Assert.Equal(Bytes(expected.Decryption.Secret), Bytes(found.Decryption.Secret));
                Assert.Equal(session.Read(expected), session.Read(found));
            },
            iter: 12);
    }

    [Fact]
    public void Threads_and_kernels_make_no_difference()
    {
        var layer = Layers.Random(40, 100, 8, 3);
        var rows = Layers.Rows(600, 100, 1);
        int[] expected = [];
        foreach (var kernel in ClientKernels.Supported())
        {
            foreach (var threads in (int[])[1, 3])
            {
                using var session = new Session(layer, LayerDirection.Forward, kernel: kernel, maxThreads: threads, source: new RepeatedRoot(5));
                using var mask = session.Client.MakeMask(600);
                using var call = session.Client.Encrypt(rows, mask);
                expected = expected is [] ? Words(call) : expected;
                Assert.Equal(expected, Words(call));
            }
        }
    }

    [Fact]
    public void An_answer_is_the_product_and_is_checked()
    {
        using var session = new Session(Layers.Random(30, 40, 8, 3), LayerDirection.Forward, insecureSeed: null);
        var rows = Layers.Rows(70, 40, 1);
        var expected = session.Run(rows, 70);
        var found = session.RunAhead(rows, 70);
        var bound = expected.Max(Math.Abs) * 1e-3;
        Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, bound));

        using var mask = session.Client.MakeMask(70);
        using var call = session.Client.Encrypt(rows, mask);
        var response = session.Answer(call);
        response[^1] ^= 1;
        var destination = new float[70 * 30];
        Assert.Throws<InvalidDataException>(() => call.Decryption.Decrypt(response, destination));
        Assert.All(destination, static x => Assert.Equal(0, x));
    }

    [Fact]
    public void Two_masks_are_never_the_same()
    {
        using var session = new Session(Small, LayerDirection.Forward, insecureSeed: null);
        var rows = new float[8];
        using MaskAhead first = session.Client.MakeMask(2), second = session.Client.MakeMask(2);
        using EncryptedCall a = session.Client.Encrypt(rows, first), b = session.Client.Encrypt(rows, second);
        Assert.True(Words(a).Zip(Words(b)).Count(static pair => pair.First == pair.Second) <= 1);
        Assert.NotEqual(a.Ciphertext.Id, b.Ciphertext.Id);
    }

    [Fact]
    public void A_second_use_throws()
    {
        using var session = new Session(Small, LayerDirection.Forward);
        using var mask = session.Client.MakeMask(2);
        using var call = session.Client.Encrypt(new float[8], mask);
        Assert.False(mask.IsUsable);
        var error = Assert.Throws<InvalidOperationException>(() => session.Client.Encrypt(new float[8], mask));
        Assert.Equal("Layer 'fc1', forward: this mask was spent already. Make another, or encrypt without one.", error.Message);

        // The call lives on: disposing the mask takes nothing from it.
        mask.Dispose();
        call.Decryption.Decrypt(session.Answer(call), new float[6]);
        Assert.Throws<InvalidOperationException>(() => call.Decryption.Decrypt(session.Answer(call), new float[6]));
    }

    [Fact]
    public void Of_several_threads_one_spends_the_mask()
    {
        using var session = new Session(Small, LayerDirection.Forward, insecureSeed: null);
        for (var round = 0; round < 50; round++)
        {
            using var mask = session.Client.MakeMask(2);
            var calls = 0;
            Parallel.For(0, 4, i =>
            {
                if (i == 3)
                {
                    mask.Dispose();
                    return;
                }

                try
                {
                    session.Client.Encrypt(new float[8], mask).Dispose();
                    Interlocked.Increment(ref calls);
                }
                catch (InvalidOperationException)
                {
                }
            });
            Assert.InRange(calls, 0, 1);
            Assert.False(mask.IsUsable);
        }
    }

    [Fact]
    public void A_secret_with_a_mask_is_encrypted_with_once()
    {
        using var pool = new SecretMemoryPool(1);
        using var secret = new OneTimeSecret(new LayerId("fc1", LayerDirection.Forward), TokenGroup.Cut(5), 5, pool);
        Assert.Throws<InvalidOperationException>(secret.BeginEncryptionWithMask);
        secret.BeginMask();
        Assert.Throws<InvalidOperationException>(secret.BeginMask);
        Assert.Throws<InvalidOperationException>(secret.BeginEncryption);
        Assert.Throws<InvalidOperationException>(secret.BeginDecryption);
        secret.BeginEncryptionWithMask();
        Assert.Throws<InvalidOperationException>(secret.BeginEncryptionWithMask);
        Assert.Throws<InvalidOperationException>(secret.BeginEncryption);
    }

    [Theory]
    [InlineData("disposed")]
    [InlineData("expired")]
    [InlineData("expired unnoticed")]
    [InlineData("another process")]
    [InlineData("clock set back")]
    [InlineData("machine slept")]
    public void What_ends_a_mask_zeroes_it(string end)
    {
        var clock = new ManualClock();
        using var session = new Session(Small, LayerDirection.Forward, maskClock: clock.Clock);
        using var mask = session.Client.MakeMask(2);
        var memory = new MaskMemory(mask);
        Assert.True(mask.IsUsable);
        Assert.True(memory.HoldsSomething);
        switch (end)
        {
            case "disposed":
                mask.Dispose();
                break;
            case "expired":
                clock.Advance(TimeSpan.FromSeconds(60));
                break;
            case "expired unnoticed":
                clock.AdvanceUnnoticed(TimeSpan.FromSeconds(60));
                break;
            case "another process":
                clock.ProcessId++;
                break;
            case "clock set back":
                clock.StepWall(TimeSpan.FromSeconds(-1));
                break;
            default:
                clock.StepWall(TimeSpan.FromSeconds(1));
                break;
        }

        var error = Assert.Throws<InvalidOperationException>(() => session.Client.Encrypt(new float[8], mask));
        Assert.StartsWith("Layer 'fc1', forward: this mask was disposed, is too old, or", error.Message, StringComparison.Ordinal);
        Assert.False(mask.IsUsable);
        Assert.False(memory.HoldsSomething);
        Assert.Null(session.Client.TryEncrypt(new float[8], mask));
    }

    [Fact]
    public void A_mask_is_good_for_a_minute()
    {
        var clock = new ManualClock();
        using var session = new Session(Small, LayerDirection.Forward, maskClock: clock.Clock);
        using var mask = session.Client.MakeMask(2);
        clock.Advance(TimeSpan.FromSeconds(59.9));
        clock.StepWall(TimeSpan.FromMilliseconds(200));
        session.Read(session.Client.Encrypt(new float[8], mask));

        // Spent: its end is nobody's business any more.
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.False(mask.IsUsable);
    }

    [Theory]
    [InlineData("decrypted")]
    [InlineData("failed")]
    [InlineData("disposed")]
    [InlineData("not finite")]
    public void The_memory_is_zero_after_the_call(string end)
    {
        using var session = new Session(Small, LayerDirection.Forward);
        using var mask = session.Client.MakeMask(70);
        var memory = new MaskMemory(mask);
        var rows = Layers.Rows(70, 4, 1);
        if (end == "not finite")
        {
            rows[^1] = float.NaN;
            var error = Assert.Throws<ArgumentException>("rows", () => session.Client.Encrypt(rows, mask));
            Assert.StartsWith("Layer 'fc1', forward: the activation has a value that is not finite.", error.Message, StringComparison.Ordinal);
            Assert.False(memory.HoldsSomething);
            Assert.False(mask.IsUsable);
            return;
        }

        using var call = session.Client.Encrypt(rows, mask);
        switch (end)
        {
            case "decrypted":
                call.Decryption.Decrypt(session.Answer(call), new float[210]);
                break;
            case "failed":
                Assert.Throws<InvalidDataException>(() => call.Decryption.Decrypt(new byte[100], new float[210]));
                break;
            default:
                call.Decryption.Dispose();
                break;
        }

        Assert.False(memory.HoldsSecrets);
    }

    [Fact]
    public void Wrong_arguments_leave_the_mask_as_it_was()
    {
        using var session = new Session(Small, LayerDirection.Forward);
        using var other = new Session(Small, LayerDirection.Forward);
        using var mask = session.Client.MakeMask(2);
        Assert.Throws<ArgumentNullException>("mask", () => session.Client.Encrypt(new float[8], null!));
        Assert.Throws<ArgumentException>("rows", () => session.Client.Encrypt(new float[9], mask));
        var error = Assert.Throws<ArgumentException>("mask", () => other.Client.Encrypt(new float[8], mask));
        Assert.StartsWith("Layer 'fc1', forward: the mask was made by another client.", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>("tokens", () => session.Client.MakeMask(0));
        Assert.Throws<ArgumentOutOfRangeException>("tokens", () => session.Client.MakeMask(int.MaxValue));
        Assert.True(mask.IsUsable);
        session.Read(session.Client.Encrypt(new float[8], mask));
    }

    [Fact]
    public void A_disposed_client_neither_makes_nor_spends_a_mask()
    {
        var session = new Session(Small, LayerDirection.Forward);
        using var mask = session.Client.MakeMask(2);
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(() => session.Client.MakeMask(2));
        Assert.Throws<ObjectDisposedException>(() => session.Client.Encrypt(new float[8], mask));
    }

    [Fact]
    public void A_generator_that_fails_leaves_nothing_behind()
    {
        using var session = new Session(Small, LayerDirection.Forward, source: new FailingSource());
        Assert.Throws<IOException>(() => session.Client.MakeMask(2));
    }

    [Fact]
    public void Its_size_is_told_before_it_is_made()
    {
        using var session = new Session(Layers.Random(50, 33, 8, 1), LayerDirection.Forward);
        using var mask = session.Client.MakeMask(600);
        Assert.Equal(session.Client.MaskLength(600), mask.Length);
        Assert.InRange(mask.Length, 600L * (33 + 50) * 4, 600L * (33 + 64 + 14) * 4);
        Assert.Equal(600, mask.Tokens);
        Assert.Equal(session.Client.Layer, mask.Layer);
    }

    private static int[] Words(EncryptedCall call) => MemoryMarshal.Cast<byte, int>(call.Ciphertext.Bytes[MessageHeader.Size..]).ToArray();

    private static byte[] Bytes(OneTimeSecret secret) => new ReadOnlySpan<byte>(secret.Factors(0), secret.Length).ToArray();

    private sealed class FailingSource : SecretSource
    {
        public override void DrawTagKey(Span<byte> destination) => throw new IOException();

        public override void DrawRoot(LayerId layer, ReadOnlySpan<byte> tags, Span<byte> root) => throw new IOException();

        public override void DrawRootAhead(LayerId layer, Span<byte> root) => throw new IOException();

        public override void DrawVerifierKey(LayerId layer, Span<byte> key) => key.Clear();
    }
}
