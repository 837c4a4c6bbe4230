using System.Runtime.InteropServices;

namespace LoraFhe.Tests;

public sealed unsafe class NativeHeapTests
{
    // glibc's flag, in the word before a block, of one that was mapped for itself.
    private const ulong Mapped = 2;

    [Fact]
    public void A_large_block_comes_from_the_heap_that_is_kept()
    {
        var threshold = NativeHeap.KeepFreed(_ => null);
        if (!OperatingSystem.IsLinux())
        {
            Assert.Equal(0, threshold); // no mallopt, and no failure
            return;
        }

        Assert.True(threshold >= 32 << 20);

        // On glibc from 2.35 on 40 MiB, which is mapped for itself as it comes; below the 64 MiB that a heap of a further thread can be.
        var block = (ulong*)NativeMemory.Alloc((nuint)Math.Min(threshold, 64 << 20) / 8 * 5);
        try
        {
            Assert.Equal(0UL, block[-1] & Mapped);
        }
        finally
        {
            NativeMemory.Free(block);
        }
    }

    [Theory]
    [InlineData("MALLOC_MMAP_THRESHOLD_", "131072")]
    [InlineData("MALLOC_TRIM_THRESHOLD_", "131072")]
    [InlineData("MALLOC_TOP_PAD_", "0")]
    [InlineData("MALLOC_MMAP_MAX_", "65536")]
    [InlineData("GLIBC_TUNABLES", "glibc.malloc.arena_max=2:glibc.malloc.mmap_threshold=131072")]
    [InlineData("GLIBC_TUNABLES", "glibc.malloc.trim_threshold=131072")]
    public void What_the_user_has_set_stays(string name, string value) =>
        Assert.Equal(0, NativeHeap.KeepFreed(asked => asked == name ? value : null));
}
