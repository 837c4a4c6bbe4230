namespace LoraFhe.Cryptography.Tests;

public sealed unsafe class NativeBufferTests
{
    [Theory]
    [InlineData(1)]
    [InlineData((2 * HugePages.Size) - 1)]
    [InlineData(2 * HugePages.Size)]
    [InlineData((3 * HugePages.Size) + 5)]
    public void Memory_for_long_is_aligned_and_wholly_usable(int length)
    {
        using var buffer = NativeBuffer.AllocateLasting(length);
        Assert.Equal(length, buffer.Length);
        Assert.Equal(0UL, (nuint)buffer.Pointer % (nuint)(length < 2 * HugePages.Size ? NativeBuffer.Alignment : HugePages.Size));
        new Span<byte>(buffer.Pointer, length).Fill(1);
        Assert.Equal(1, buffer.Pointer[length - 1]);

        using var zeroed = NativeBuffer.AllocateZeroed(length);
        Assert.Equal(-1, new ReadOnlySpan<byte>(zeroed.Pointer, length).IndexOfAnyExcept((byte)0));
    }
}
