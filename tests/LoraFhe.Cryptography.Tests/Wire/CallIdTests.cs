namespace LoraFhe.Cryptography.Tests;

public sealed class CallIdTests
{
    [Fact]
    public void Bytes_go_in_and_out_unchanged()
    {
        var bytes = Enumerable.Range(100, 16).Select(i => (byte)i).ToArray();
        var id = CallId.FromBytes(bytes);
        var copy = new byte[16];
        id.CopyTo(copy);
        Assert.Equal(bytes, copy);
        Assert.Equal(Convert.ToHexStringLower(bytes), id.ToString());
        Assert.Equal(id, CallId.FromBytes(copy));
    }

    [Fact]
    public void Generated_ids_differ() => Assert.NotEqual(CallId.Generate(), CallId.Generate());

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        Assert.Throws<ArgumentException>("bytes", () => CallId.FromBytes(new byte[15]));
        Assert.Throws<ArgumentException>("destination", () => default(CallId).CopyTo(new byte[15]));
    }
}
