namespace LoraFhe.Cryptography.Client.Tests.Randomness;

/// <summary>Expected values: Python's hmac over the documented bytes.</summary>
public sealed class KeyDerivationTests
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 128).Select(static i => (byte)i)];

    [Fact]
    public void The_root_is_the_frozen_one() =>
        Assert.Equal("d680bcdf2ac8cfba383c64228b5442d8d366145aebf25121eb14f90ec76e3cb6", Convert.ToHexStringLower(Root(counter: 7, ticks: 123456789012345, processId: 4242)));

    [Theory]
    [InlineData((byte)KeyPurpose.Secret, "712022dd44139e835ee706d83d78850df4e8d46502da31490a865be14690c4e9")]
    [InlineData((byte)KeyPurpose.Error, "6747725d328635a4a29b857e42e6c96483cc40d5b09ef31fdda7b2deb841bc9e")]
    [InlineData((byte)KeyPurpose.Check, "5875d70d2f12c69d18c34b221201bbc320e74957b53213c7c2b184617e456e5c")]
    public void A_groups_keys_are_the_frozen_ones(byte purpose, string expected)
    {
        var context = KeyDerivation.Context(PublicMatrixSeed.FromBytes(Bytes.AsSpan(0, 32)), new LayerId("h.0.attn.c_attn", LayerDirection.Backward));
        Assert.Equal(expected, Convert.ToHexStringLower(Group((KeyPurpose)purpose, context, group: 3, degree: 256)));
    }

    [Fact]
    public void Every_input_changes_the_root()
    {
        byte[][] roots =
        [
            Root(7, 1, 2),
            Root(8, 1, 2),
            Root(7, 2, 2),
            Root(7, 1, 3),
            Root(7, 1, 2, flipped: 0),
            Root(7, 1, 2, flipped: 33),
            Root(7, 1, 2, flipped: 70),
            Root(7, 1, 2, flipped: 127),
        ];
        Assert.Equal(roots.Length, roots.Select(Convert.ToHexString).Distinct().Count());
    }

    [Fact]
    public void Every_input_changes_a_groups_key()
    {
        var seed = PublicMatrixSeed.FromBytes(Bytes.AsSpan(0, 32));
        var context = KeyDerivation.Context(seed, new LayerId("a", LayerDirection.Forward));
        byte[][] keys =
        [
            Group(KeyPurpose.Secret, context, 0, 64),
            Group(KeyPurpose.Error, context, 0, 64),
            Group(KeyPurpose.Secret, context, 1, 64),
            Group(KeyPurpose.Secret, context, 0, 128),
            Group(KeyPurpose.Secret, KeyDerivation.Context(seed, new LayerId("b", LayerDirection.Forward)), 0, 64),
            Group(KeyPurpose.Secret, KeyDerivation.Context(seed, new LayerId("a", LayerDirection.Backward)), 0, 64),
            Group(KeyPurpose.Secret, KeyDerivation.Context(PublicMatrixSeed.FromBytes(Bytes.AsSpan(1, 32)), new LayerId("a", LayerDirection.Forward)), 0, 64),
        ];
        Assert.Equal(keys.Length, keys.Select(Convert.ToHexString).Distinct().Count());
    }

    [Fact]
    public void The_kernels_source_never_gives_the_same_root_twice()
    {
        var roots = new HashSet<string>();
        var root = new byte[KeyDerivation.KeySize];
        for (var i = 0; i < 100; i++)
        {
            KernelSecretSource.Instance.DrawRoot(new LayerId("a", LayerDirection.Forward), new byte[16], root);
            Assert.True(roots.Add(Convert.ToHexString(root)));
        }
    }

    [Fact]
    public void The_root_of_a_mask_made_ahead_is_the_frozen_one_and_no_calls()
    {
        var root = new byte[KeyDerivation.KeySize];
        var moment = new ProcessMoment { ProcessNonce = Bytes.AsSpan(64, 32), Counter = 7, Ticks = 123456789012345, ProcessId = 4242 };
        KeyDerivation.RootAhead(Bytes.AsSpan(0, 32), Bytes.AsSpan(32, 32), moment, root);
        Assert.Equal("dfa5ada2fdf28115667c57d02f170c318b4069ff11d2daa55bdb18688eb8a60b", Convert.ToHexStringLower(root));
        var call = new byte[KeyDerivation.KeySize];
        KeyDerivation.Root(Bytes.AsSpan(0, 32), Bytes.AsSpan(32, 32), moment, [], call);
        Assert.NotEqual(root, call);
    }

    [Fact]
    public void The_kernels_source_never_gives_the_same_root_ahead_twice()
    {
        var roots = new HashSet<string>();
        var root = new byte[KeyDerivation.KeySize];
        for (var i = 0; i < 100; i++)
        {
            KernelSecretSource.Instance.DrawRootAhead(new LayerId("a", LayerDirection.Forward), root);
            Assert.True(roots.Add(Convert.ToHexString(root)));
        }
    }

    [Fact]
    public void The_systems_process_id_is_this_processs() => Assert.Equal(Environment.ProcessId, NativeMethods.ProcessId);

    [Fact]
    public void Equal_randomness_with_other_rows_gives_another_root()
    {
        var source = new InsecureTestRandomness(1);
        var layer = new LayerId("a", LayerDirection.Forward);
        byte[] first = new byte[32], second = new byte[32], again = new byte[32];
        source.DrawRoot(layer, [1], first);
        source.DrawRoot(layer, [2], second);
        source.DrawRoot(layer, [1], again);
        Assert.NotEqual(first, second);
        Assert.Equal(first, again);
    }

    private static byte[] Root(long counter, long ticks, int processId, int? flipped = null)
    {
        var bytes = Bytes.ToArray();
        if (flipped is { } place)
        {
            bytes[place] ^= 1;
        }

        var root = new byte[KeyDerivation.KeySize];
        var moment = new ProcessMoment { ProcessNonce = bytes.AsSpan(64, 32), Counter = counter, Ticks = ticks, ProcessId = processId };
        KeyDerivation.Root(bytes.AsSpan(0, 32), bytes.AsSpan(32, 32), moment, bytes.AsSpan(96, 32), root);
        return root;
    }

    private static byte[] Group(KeyPurpose purpose, byte[] context, int group, int degree)
    {
        var key = new byte[KeyDerivation.KeySize];
        KeyDerivation.Group(Root(7, 123456789012345, 4242), purpose, context, group, degree, key);
        return key;
    }
}
