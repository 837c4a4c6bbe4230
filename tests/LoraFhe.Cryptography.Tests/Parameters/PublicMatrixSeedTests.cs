using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Tests;

public sealed class PublicMatrixSeedTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void A_seed_of_another_length_is_refused(int length)
    {
        var error = Assert.Throws<ArgumentException>("bytes", () => PublicMatrixSeed.FromBytes(new byte[length]));
        Assert.Contains($"32 bytes; {length}", error.Message);
    }

    [Fact]
    public void Bytes_are_copied_and_hashed()
    {
        var bytes = RandomNumberGenerator.GetBytes(32);
        var seed = PublicMatrixSeed.FromBytes(bytes);
        var hash = SHA256.HashData(bytes);
        Assert.Equal(bytes, seed.Bytes);
        bytes[0] ^= 1;
        Assert.NotEqual(bytes, seed.Bytes.ToArray());
        Assert.Equal(hash, seed.Hash);
    }

    [Fact]
    public void Two_generated_seeds_differ() =>
        Assert.NotEqual(Convert.ToHexString(PublicMatrixSeed.Generate().Bytes), Convert.ToHexString(PublicMatrixSeed.Generate().Bytes));
}
