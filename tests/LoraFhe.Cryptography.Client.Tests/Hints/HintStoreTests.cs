using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Client.Tests.Hints;

public sealed class HintStoreTests : IDisposable
{
    private static readonly LayerId Id = new("h.0.attn.c_attn", LayerDirection.Forward);

    private readonly string _folder = Directory.CreateTempSubdirectory("lorafhe-hints-").FullName;
    private readonly QuantizedLayer _layer = Layers.Random(200, 20, 8, 1, Id.Name);
    private readonly PublicMatrix _matrix = Layers.Matrix(PublicMatrixSeed.FromBytes(new byte[32]), 20);

    private string FilePath => Path.Combine(_folder, "h.0.attn.c_attn.forward.hint");

    public void Dispose()
    {
        _matrix.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_made_hint_is_kept_and_mapped_the_next_time()
    {
        var store = new HintStore(_folder);
        using var made = Layers.FromStore(store, _layer, LayerDirection.Forward, _matrix);
        Assert.Equal(FilePath, store.PathOf(Id));
        Assert.True(made.IsMapped);
        var written = File.GetLastWriteTimeUtc(FilePath);
        using var mapped = Layers.FromStore(new HintStore(_folder), _layer, LayerDirection.Forward, _matrix);
        Assert.Equal(written, File.GetLastWriteTimeUtc(FilePath));
        using var fresh = Layers.FromStore(new HintStore(null), _layer, LayerDirection.Forward, _matrix);
        Assert.False(fresh.IsMapped);
        Assert.Equal(fresh.Binding, mapped.Binding);
        Assert.Equal(fresh.Bytes, mapped.Bytes);
        Assert.Equal(fresh.Piece(0, (int)fresh.Bytes).ToArray(), mapped.Piece(0, (int)mapped.Bytes).ToArray());
        Assert.Equal([FilePath], Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_mapped_hint_decrypts()
    {
        using var hint = Layers.FromStore(new HintStore(_folder), _layer, LayerDirection.Forward, _matrix);
        Use(hint);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1 << 20)]
    [InlineData((200 * 6144) - 1)]
    public void One_flipped_bit_of_the_words_is_refused_at_the_first_use(int place)
    {
        Make();
        Change(place + HeaderSize(), 0x10);
        using var hint = Open();
        var error = Assert.Throws<InvalidDataException>(() => Use(hint));
        Assert.Equal($"Hint file 'h.0.attn.c_attn.forward.hint' is damaged in part {(place >> 20) + 1} of 2. Delete it to have it made again.", error.Message);
    }

    [Fact]
    public void A_damaged_hint_is_not_written_again_with_hashes_that_fit()
    {
        Make();
        Change(HeaderSize() + 5, 0x10);
        using var hint = Open();
        var copy = Path.Combine(_folder, "copy.hint");
        Assert.Throws<InvalidDataException>(() => HintFile.Write(copy, hint));
        Assert.False(File.Exists(copy));
    }

    [Fact]
    public void A_word_that_is_not_below_q_is_refused_even_if_its_hash_is_right()
    {
        Make();
        var bytes = File.ReadAllBytes(FilePath);
        var header = HeaderSize();
        var words = bytes.AsSpan(header);
        words[..4].Fill(0xff);
        var hashes = new byte[2 * SHA256.HashSizeInBytes];
        SHA256.HashData(words[..(1 << 20)], hashes);
        SHA256.HashData(words[(1 << 20)..], hashes.AsSpan(32));
        HintFileHeader.Write(Binding.Compute(_layer, LayerDirection.Forward, _matrix.Seed), 200, hashes).CopyTo(bytes.AsSpan());
        File.WriteAllBytes(FilePath, bytes);
        using var hint = Open();
        Assert.Throws<InvalidDataException>(() => Use(hint));
    }

    [Theory]
    [InlineData(12)]
    [InlineData(16)]
    [InlineData(20)]
    [InlineData(24)]
    [InlineData(70)]
    [InlineData(130)]
    public void One_flipped_bit_of_the_header_is_refused(int place)
    {
        Make();
        Change(place, 1);
        Assert.Contains("h.0.attn.c_attn.forward.hint", Assert.Throws<InvalidDataException>(Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_layers_file_is_refused_by_name_with_the_cure()
    {
        Make();
        var other = Layers.Random(200, 20, 8, 2, Id.Name);
        var error = Assert.Throws<InvalidDataException>(() => Layers.FromStore(new HintStore(_folder), other, LayerDirection.Forward, _matrix));
        var (found, expected) = (Binding.Compute(_layer, LayerDirection.Forward, _matrix.Seed), Binding.Compute(other, LayerDirection.Forward, _matrix.Seed));
        Assert.Equal(
            $"Hint file 'h.0.attn.c_attn.forward.hint' was made for other weights of 'h.0.attn.c_attn' (binding {found.Prefix}, expected {expected.Prefix}). Delete it to have it made again.",
            error.Message);
        using var matrix = Layers.Matrix(PublicMatrixSeed.Generate(), 20);
        Assert.Throws<InvalidDataException>(() => Layers.FromStore(new HintStore(_folder), _layer, LayerDirection.Forward, matrix));
        File.Delete(FilePath);
        Layers.FromStore(new HintStore(_folder), other, LayerDirection.Forward, _matrix).Dispose();
    }

    [Fact]
    public void A_foreign_file_is_refused()
    {
        File.WriteAllText(FilePath, "something else");
        var error = Assert.Throws<InvalidDataException>(Open);
        Assert.Equal("Hint file 'h.0.attn.c_attn.forward.hint' is not a hint file: it does not begin with 'LFHINT'. Move it away to have a hint made.", error.Message);
        File.WriteAllBytes(FilePath, []);
        Assert.Throws<InvalidDataException>(Open);
    }

    [Fact]
    public void A_newer_version_is_refused()
    {
        Make();
        Change(8, 3);
        var error = Assert.Throws<InvalidDataException>(Open);
        Assert.Equal("Hint file 'h.0.attn.c_attn.forward.hint' has format version 2; this program reads version 1. Delete it to have it made again.", error.Message);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(5000)]
    [InlineData(1_000_000)]
    public void A_file_cut_short_is_refused(int length)
    {
        Make();
        var whole = new FileInfo(FilePath).Length;
        using (var stream = File.OpenWrite(FilePath))
        {
            stream.SetLength(length);
        }

        var error = Assert.Throws<InvalidDataException>(Open);
        Assert.Contains($"has {length} bytes; ", error.Message, StringComparison.Ordinal);
        Assert.True(length < 64 || error.Message.Contains($"{whole} were expected", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_with_more_at_its_end_is_refused()
    {
        Make();
        using (var stream = File.OpenWrite(FilePath))
        {
            stream.SetLength(stream.Length + 1);
        }

        Assert.Throws<InvalidDataException>(Open);
    }

    [Fact]
    public void What_a_crashed_writer_left_is_removed_and_what_a_living_one_writes_is_not()
    {
        var left = Path.Combine(_folder, $"a.forward.1{HintFile.TemporaryExtension}");
        var living = Path.Combine(_folder, $"b.forward.2{HintFile.TemporaryExtension}");
        File.WriteAllText(left, "half");
        using (new FileStream(living, FileMode.CreateNew, FileAccess.Write, FileShare.None))
        {
            _ = new HintStore(_folder);
            Assert.False(File.Exists(left));
            Assert.True(File.Exists(living));
        }

        _ = new HintStore(_folder);
        Assert.False(File.Exists(living));
    }

    [Fact]
    public void A_write_that_fails_leaves_nothing()
    {
        using var hint = Layers.HintOf(_layer, LayerDirection.Forward, _matrix);
        Directory.CreateDirectory(FilePath);
        Assert.ThrowsAny<Exception>(() => HintFile.Write(FilePath, hint));
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData("a/b", "a_b-")]
    [InlineData("a:b", "a_b-")]
    [InlineData("..", "...forward.hint")]
    [InlineData("", "-")]
    public void Names_stay_in_the_folder_and_apart(string name, string expectedStart)
    {
        var store = new HintStore(_folder);
        var path = store.PathOf(new LayerId(name, LayerDirection.Forward))!;
        Assert.Equal(_folder, Path.GetDirectoryName(path));
        Assert.StartsWith(expectedStart, Path.GetFileName(path), StringComparison.Ordinal);
        Assert.NotEqual(store.PathOf(new LayerId("a_b", LayerDirection.Forward)), path);
        Assert.NotEqual(store.PathOf(new LayerId(name, LayerDirection.Backward)), path);
    }

    [Fact]
    public void The_header_is_the_frozen_one()
    {
        var binding = Binding.FromBytes([.. Enumerable.Range(0, 32).Select(static i => (byte)i)]);
        var header = HintFileHeader.Write(binding, 3, [.. Enumerable.Range(32, 32).Select(static i => (byte)i)]);
        Assert.Equal(4096, header.Length);
        Assert.Equal(
            "4c4648494e5400000100000003000000000600000000100000800100000000" + "00" + Convert.ToHexStringLower([.. Enumerable.Range(0, 64).Select(static i => (byte)i)]),
            Convert.ToHexStringLower(header.AsSpan(0, 96)));
        Assert.Equal(SHA256.HashData(header.AsSpan(0, 96)), header.AsSpan(96, 32).ToArray());
        Assert.False(header.AsSpan(128).ContainsAnyExcept((byte)0));
    }

    private static int HeaderSize() => HintFileHeader.Size(HintFileHeader.Chunks(HintMaker.HintWords(200) * sizeof(uint)));

    private void Make() => Layers.FromStore(new HintStore(_folder), _layer, LayerDirection.Forward, _matrix).Dispose();

    private Hint Open() => Layers.FromStore(new HintStore(_folder), _layer, LayerDirection.Forward, _matrix);

    private void Change(int place, byte mask)
    {
        var bytes = File.ReadAllBytes(FilePath);
        bytes[place] ^= mask;
        File.WriteAllBytes(FilePath, bytes);
    }

    private void Use(Hint hint)
    {
        using var client = EncryptedLinearClient.Create(_layer, LayerDirection.Forward, _matrix, hint);
        using var evaluator = new LinearEvaluator(_layer, LayerDirection.Forward, client.Binding, 1);
        using var call = client.Encrypt(Layers.Rows(2, 20, 1), 2);
        var response = new byte[LinearEvaluator.ResponseLength(200, 2)];
        evaluator.Evaluate(call.Ciphertext.Bytes, response);
        call.Decryption.Decrypt(response, new float[400]);
    }
}
