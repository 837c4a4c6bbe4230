namespace LoraFhe.Cryptography.Client.Tests.Protocol;

public sealed unsafe class OneTimeSecretTests
{
    private static readonly LayerId Id = new("fc1", LayerDirection.Backward);

    [Fact]
    public void Encrypting_twice_with_one_secret_throws()
    {
        using var pool = new SecretMemoryPool(1);
        using var secret = new OneTimeSecret(Id, TokenGroup.Cut(5), 5, pool);
        secret.BeginEncryption();
        AssertSpent(() => secret.BeginEncryption());
    }

    [Fact]
    public void Decrypting_before_encrypting_or_twice_throws()
    {
        using var pool = new SecretMemoryPool(1);
        using var secret = new OneTimeSecret(Id, TokenGroup.Cut(5), 5, pool);
        AssertSpent(() => secret.BeginDecryption());
        secret.BeginEncryption();
        secret.BeginDecryption();
        AssertSpent(() => secret.BeginDecryption());
        AssertSpent(() => secret.BeginEncryption());
        secret.EndDecryption();
    }

    [Fact]
    public void Disposing_while_an_answer_is_read_erases_when_the_reading_ends()
    {
        using var pool = new SecretMemoryPool(1);
        var secret = new OneTimeSecret(Id, TokenGroup.Cut(5), 5, pool);
        secret.BeginEncryption();
        secret.BeginDecryption();
        var factors = secret.Factors(0);
        factors[0] = 7;

        // As another thread does it while this one reads: the memory must not become the next call's.
        secret.Dispose();
        var next = pool.Rent(secret.Length);
        Assert.False(next.Pointer == (byte*)factors);
        Assert.Equal(7u, secret.Factors(0)[0]);
        secret.EndDecryption();
        Assert.Equal(0u, factors[0]);
        AssertSpent(() => secret.Factors(0));
        next.Dispose();
    }

    [Theory]
    [InlineData(60_000_000)]
    [InlineData(int.MaxValue)]
    public void More_tokens_than_one_secrets_memory_can_hold_are_refused(int tokens)
    {
        using var pool = new SecretMemoryPool(1);
        var error = Assert.Throws<ArgumentOutOfRangeException>(nameof(tokens), () => new OneTimeSecret(Id, TokenGroup.Cut(tokens), tokens, pool));
        Assert.StartsWith("Layer 'fc1', backward: the secrets of so many tokens do not fit one call.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_erased_secret_cannot_be_read_or_used()
    {
        using var pool = new SecretMemoryPool(1);
        var secret = new OneTimeSecret(Id, TokenGroup.Cut(5), 5, pool);
        secret.Dispose();
        secret.Dispose();
        AssertSpent(() => secret.BeginEncryption());
        AssertSpent(() => secret.BeginDecryption());
        AssertSpent(() => secret.Factors(0));
    }

    [Fact]
    public void Concurrent_uses_let_exactly_one_through()
    {
        using var pool = new SecretMemoryPool(1);
        for (var round = 0; round < 50; round++)
        {
            using var secret = new OneTimeSecret(Id, TokenGroup.Cut(5), 5, pool);
            var entered = 0;
            Parallel.For(0, 4, _ =>
            {
                try
                {
                    secret.BeginEncryption();
                    Interlocked.Increment(ref entered);
                }
                catch (InvalidOperationException)
                {
                }
            });
            Assert.Equal(1, entered);
        }
    }

    [Fact]
    public void Decrypting_a_call_twice_throws_whatever_came_first()
    {
        using var session = new Session(Layers.Random(3, 4, 8, 1), LayerDirection.Forward);
        var rows = Layers.Rows(2, 4, 2);
        using var call = session.Client.Encrypt(rows, 2);
        var response = session.Answer(call);
        call.Decryption.Decrypt(response, new float[6]);
        Assert.Throws<InvalidOperationException>(() => call.Decryption.Decrypt(response, new float[6]));

        using var failed = session.Client.Encrypt(rows, 2);
        Assert.Throws<InvalidDataException>(() => failed.Decryption.Decrypt([], new float[6]));
        Assert.Throws<InvalidOperationException>(() => failed.Decryption.Decrypt(session.Answer(failed), new float[6]));

        var disposed = session.Client.Encrypt(rows, 2);
        response = session.Answer(disposed);
        disposed.Dispose();
        Assert.Throws<InvalidOperationException>(() => disposed.Decryption.Decrypt(response, new float[6]));
        Assert.Throws<ObjectDisposedException>(() => disposed.Ciphertext.Bytes.Length);
    }

    [Fact]
    public void A_wrong_destination_uses_nothing_up()
    {
        using var session = new Session(Layers.Random(3, 4, 8, 1), LayerDirection.Forward);
        using var call = session.Client.Encrypt(Layers.Rows(2, 4, 2), 2);
        var response = session.Answer(call);
        Assert.Throws<ArgumentException>("destination", () => call.Decryption.Decrypt(response, new float[5]));
        call.Decryption.Decrypt(response, new float[6]);
    }

    [Theory]
    [InlineData("decrypted")]
    [InlineData("failed")]
    [InlineData("disposed")]
    public void The_memory_is_zero_afterwards(string end)
    {
        using var session = new Session(Layers.Random(3, 4, 8, 1), LayerDirection.Forward);
        using var call = session.Client.Encrypt(Layers.Rows(70, 4, 2), 70);

        // The client's pool keeps the memory, so it may be read after the secret has given it back.
        var secret = call.Decryption.Secret;
        var memory = (byte*)secret.Factors(0);
        var length = secret.Length;
        Assert.True(new ReadOnlySpan<byte>(memory, length).ContainsAnyExcept((byte)0));
        Assert.True(new ReadOnlySpan<sbyte>(secret.Coefficients(0), EncryptedLinearParameters.SecretDimension).ContainsAnyExcept((sbyte)0));
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

        Assert.False(new ReadOnlySpan<byte>(memory, length).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void A_threads_room_is_zero_after_its_call()
    {
        using var pool = new ScratchPool();
        var scratch = pool.Rent();
        scratch.Mask[3] = 7;
        scratch.Errors[5] = 7;
        scratch.Random[9] = 7;
        pool.Return(scratch);
        Assert.Same(scratch, pool.Rent());
        Assert.Equal(0u, scratch.Mask[3]);
        Assert.Equal(0, scratch.Errors[5]);
        Assert.False(scratch.Random.AsSpan().ContainsAnyExcept((byte)0));
        scratch.Dispose();
    }

    [Fact]
    public void Secret_memory_is_zero_when_rented_and_when_returned()
    {
        using var pool = new SecretMemoryPool(1);
        var memory = pool.Rent(100);
        Assert.False(memory.Bytes.ContainsAnyExcept((byte)0));
        memory.Bytes.Fill(7);
        pool.Return(memory);
        Assert.False(memory.Bytes.ContainsAnyExcept((byte)0));
        memory.Dispose();
        Assert.Throws<ObjectDisposedException>(() => memory.Bytes.Length);
    }

    private static void AssertSpent(Action action) =>
        Assert.Equal(
            "Layer 'fc1', backward: this call's one-time secret was used already and is erased. Encrypt again for a new one.",
            Assert.Throws<InvalidOperationException>(action).Message);

    private static void AssertSpent(Func<nint> read) => AssertSpent(() => { _ = read(); });

    private delegate uint* Read();

    private static void AssertSpent(Read read) => AssertSpent(() => (nint)read());
}
