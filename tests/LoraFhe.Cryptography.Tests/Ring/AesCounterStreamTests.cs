using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Tests;

public sealed class AesCounterStreamTests
{
    private static readonly byte[] Key = Convert.FromHexString("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");

    [Fact]
    public void A_block_is_AES_256_of_the_published_vector()
    {
        // NIST SP 800-38A, F.1.5, block 1: the plaintext read as (block, stream) little-endian.
        var plaintext = Convert.FromHexString("6bc1bee22e409f96e93d7e117393172a");
        using var stream = new AesCounterStream(Key);
        var block = new byte[16];
        stream.Fill(BitConverter.ToUInt64(plaintext, 8), BitConverter.ToUInt64(plaintext, 0), block);
        Assert.Equal("F3EED1BDB5D2A03C064B5A7E3DB181F8", Convert.ToHexString(block));
    }

    [Fact]
    public void The_block_counter_comes_first_and_the_stream_second()
    {
        using var aes = Aes.Create();
        aes.Key = Key;
        var expected = aes.EncryptEcb([2, 1, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0], PaddingMode.None);
        using var stream = new AesCounterStream(Key);
        var block = new byte[16];
        stream.Fill(5, 258, block);
        Assert.Equal(expected, block);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(8192)]
    [InlineData(8208)]
    [InlineData(20000)]
    public void A_long_stretch_is_the_same_as_its_blocks_one_by_one(int length)
    {
        using var stream = new AesCounterStream(Key);
        var whole = new byte[length / 16 * 16];
        stream.Fill(9, 100, whole);
        var block = new byte[16];
        for (var b = 0; b < whole.Length / 16; b += 37)
        {
            stream.Fill(9, 100 + (ulong)b, block);
            Assert.Equal(whole[(b * 16)..((b + 1) * 16)], block);
        }
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentException>("key", () => new AesCounterStream(new byte[16]));
        using var stream = new AesCounterStream(Key);
        Assert.Throws<ArgumentException>("destination", () => stream.Fill(0, 0, new byte[17]));
    }
}
