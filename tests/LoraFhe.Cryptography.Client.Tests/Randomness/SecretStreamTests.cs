using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using CsCheck;

namespace LoraFhe.Cryptography.Client.Tests.Randomness;

public sealed class SecretStreamTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(static i => (byte)i)];

    /// <summary>Expected: openssl enc -aes-256-ecb over the counter blocks.</summary>
    [Fact]
    public void The_AES_stream_is_the_frozen_one()
    {
        using var stream = new AesSecretStream(Key);
        var bytes = new byte[1344];
        stream.Fill(9, 21, bytes, bytes.Length);
        Assert.Equal("1dd75f52848696b2db2847d7520523d0", Convert.ToHexStringLower(bytes.AsSpan(0, 16)));
        Assert.Equal("accbcaa65ca86f00d6646d06e6f5d034af170dee04a50fcd398f84680c570204", Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    /// <summary>Expected: FIPS 197, appendix C.3.</summary>
    [Fact]
    public void The_processors_AES_is_the_standards()
    {
        if (!InstructionAes.IsSupported)
        {
            return;
        }

        using var aes = new InstructionAes(Key);
        var block = aes.Encrypt(Vector128.Create(Convert.FromHexString("00112233445566778899aabbccddeeff")));
        Assert.Equal(Convert.FromHexString("8ea2b7ca516745bfeafc49904b496089"), Bytes(block));
    }

    /// <summary>Expected: the system's AES over the counter blocks.</summary>
    [Fact]
    public void The_stream_of_this_processor_is_the_systems_AES_under_any_key()
    {
        if (!SecretStream.HasAesInstructions)
        {
            return;
        }

        Gen.Select(Gen.Byte.Array[32], Gen.UInt, Gen.UInt, Gen.Int[1, 40]).Sample(
            static (key, number, first, blocks) =>
            {
                using var stream = SecretStream.Create(key);
                using var expected = new AesSecretStream(key);
                byte[] found = new byte[blocks * SecretStream.BlockSize], other = new byte[found.Length];
                stream.Fill(number, first, found, found.Length);
                expected.Fill(number, first, other, other.Length);
                Assert.Equal(other, found);
            },
            iter: 200);
    }

    [Fact]
    public void The_AES_stream_is_the_public_halfs_counter_mode()
    {
        using var stream = SecretStream.HasAesInstructions ? SecretStream.Create(Key) : new AesSecretStream(Key);
        using var expected = new AesCounterStream(Key);
        byte[] bytes = new byte[10752], other = new byte[10752];
        stream.Fill(5, 42, bytes, bytes.Length);
        expected.Fill(5, 42 * 4, other);
        Assert.Equal(other, bytes);
    }

    /// <summary>Expected: the block function of RFC 8439 written out in Python and checked against the RFC's section 2.3.2.</summary>
    [Fact]
    public void The_ChaCha_stream_is_the_frozen_one()
    {
        Assert.True(ChaCha20Poly1305.IsSupported);
        using var stream = new ChaChaSecretStream(Key);
        var bytes = new byte[2 * 1344];
        stream.Fill(5, 2 * ChaChaSecretStream.PieceBlocks, bytes, bytes.Length);
        Assert.Equal("bfd23a5b3f04be16524cf427c43d273b", Convert.ToHexStringLower(bytes.AsSpan(0, 16)));
        Assert.Equal("983cdd2cf7b694ddd09c0e19752b35b90ccc0330c0d576e1bf662b10df7af49c", Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_stream_read_in_parts_is_the_stream(bool chaCha)
    {
        using SecretStream stream = chaCha ? new ChaChaSecretStream(Key) : new AesSecretStream(Key);
        byte[] whole = new byte[4 * 1344], part = new byte[1344];
        stream.Fill(3, 0, whole, whole.Length);
        for (var i = 0; i < 4; i++)
        {
            stream.Fill(3, (uint)(i * ChaChaSecretStream.PieceBlocks), part, part.Length);
            Assert.Equal(whole.AsSpan(i * 1344, 1344).ToArray(), part);
        }
    }

    [Fact]
    public void Kernel_bytes_are_not_all_zero_and_differ()
    {
        byte[] first = new byte[32], second = new byte[32];
        KernelBytes.Fill(first);
        KernelBytes.Fill(second);
        Assert.NotEqual(new byte[32], first);
        Assert.NotEqual(first, second);
    }

    /// <summary>Expected: the system's GCM over no text.</summary>
    [Fact]
    public void Tags_are_GMACs_of_data_of_every_length()
    {
        if (!SecretStream.HasAesInstructions)
        {
            return;
        }

        Span<byte> key = stackalloc byte[SecretSource.TagKeySize];
        for (var length = 0; length < 800; length++)
        {
            var source = new InsecureTestRandomness((ulong)length);
            source.DrawTagKey(key);
            var data = new SplitMix((ulong)length).Bytes(length);
            byte[] found = new byte[RowTags.TagSize], expected = new byte[RowTags.TagSize];
            using var tags = new RowTags(source);
            tags.Compute(stretch: length, data, found);
            var nonce = key[KeyDerivation.KeySize..].ToArray();
            BinaryPrimitives.WriteInt32LittleEndian(nonce, BitConverter.ToInt32(nonce) ^ length);
            using var gcm = new AesGcm(key[..KeyDerivation.KeySize], RowTags.TagSize);
            gcm.Encrypt(nonce, ReadOnlySpan<byte>.Empty, Span<byte>.Empty, expected, data);
            Assert.Equal(expected, found);
        }
    }

    [Fact]
    public void Tags_depend_on_every_byte_and_on_the_stretch()
    {
        using var tags = new RowTags(new InsecureTestRandomness(1));
        var rows = new byte[1000];
        byte[] Tag(int stretch)
        {
            var tag = new byte[RowTags.TagSize];
            tags.Compute(stretch, rows, tag);
            return tag;
        }

        var first = Tag(0);
        Assert.NotEqual(first, Tag(1));
        rows[999] ^= 1;
        Assert.NotEqual(first, Tag(0));
        rows[999] ^= 1;
        Assert.Equal(first, Tag(0));
    }

    private static byte[] Bytes(Vector128<byte> block)
    {
        var bytes = new byte[InstructionAes.BlockSize];
        block.CopyTo(bytes);
        return bytes;
    }
}
