namespace LoraFhe.Cryptography.Tests;

public sealed class CiphertextTests
{
    [Fact]
    public void The_header_is_64_bytes_in_the_documented_order()
    {
        var binding = Binding.FromBytes([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);
        using var ciphertext = Ciphertext.Create(binding, TestLayers.Id(0xab), 515, 259);
        Assert.Equal(
            "4C465131" + "0100" + "00" + "00" + "03010000" + "03020000" + "ABABABABABABABABABABABABABABABAB"
            + "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
            Convert.ToHexString(ciphertext.Bytes[..64]));
        Assert.Equal(64 + (4 * 515 * 259), ciphertext.Length);
        Assert.Equal(ciphertext.Length, ciphertext.Bytes.Length);
        Assert.Equal(515 * 259, ciphertext.Words.Length);
        Assert.Equal((515, 259, binding, TestLayers.Id(0xab)), (ciphertext.Features, ciphertext.Tokens, ciphertext.Binding, ciphertext.Id));
    }

    [Fact]
    public unsafe void The_words_lie_on_a_cache_lines_boundary()
    {
        using var ciphertext = Ciphertext.Create(default, default, 16, 4);
        fixed (int* words = ciphertext.Words)
        {
            Assert.Equal(0u, (nuint)words % 64);
        }
    }

    [Theory]
    [InlineData(0, 1, "features")]
    [InlineData(1, 0, "tokens")]
    [InlineData(-5, 1, "features")]
    [InlineData(int.MaxValue, int.MaxValue, "tokens")]
    [InlineData(1 << 15, 1 << 14, "tokens")]
    public void Sizes_that_no_message_can_have_are_refused_before_anything_is_allocated(int features, int tokens, string parameter) =>
        Assert.Equal(parameter, Assert.ThrowsAny<ArgumentException>(() => Ciphertext.Create(default, default, features, tokens)).ParamName);

    [Fact]
    public void A_disposed_message_gives_no_bytes()
    {
        var ciphertext = Ciphertext.Create(default, default, 1, 1);
        ciphertext.Dispose();
        ciphertext.Dispose();
        Assert.Throws<ObjectDisposedException>(() => ciphertext.Bytes.Length);
        Assert.Throws<ObjectDisposedException>(() => ciphertext.Words.Length);
    }
}
