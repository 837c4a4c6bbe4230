namespace LoraFhe;

/// <summary>Lets glibc keep the memory of freed tensors for the next ones.</summary>
/// <remarks>
/// As it comes, glibc maps every block over 32 MiB afresh and unmaps it when freed, and gives the end of its heap back likewise: the large
/// tensors of every training step are faulted in again, page by page. libtorch allocates with it in every mode.
/// </remarks>
internal static class NativeHeap
{
    // malloc.h
    private const int TrimThreshold = -1;
    private const int MapThreshold = -3;

    /// <summary>Free memory at the end of the heap above this many bytes goes back to the system.</summary>
    private const int KeptBytes = 1024 << 20;

    // Blocks from here on are mapped for themselves. glibc before 2.35 refuses more than 32 MiB.
    private static readonly int[] MapThresholds = [256 << 20, 32 << 20];

    // Each of them ends glibc's own adjustment of both thresholds (mallopt(3)): whoever sets one has decided.
    private static readonly string[] Settings = ["mmap_threshold", "trim_threshold", "top_pad", "mmap_max"];

    /// <summary>Sets both thresholds, unless a variable of the environment has decided on them.</summary>
    /// <param name="variable">A variable's value by its name; null if it is not set.</param>
    /// <returns>From how many bytes on a block is mapped for itself; 0 if nothing was set, since the user did or the C library is not glibc.</returns>
    public static int KeepFreed(Func<string, string?> variable)
    {
        if (Settings.Any(setting => IsSet(setting, variable)))
        {
            return 0;
        }

        try
        {
            var mapped = Array.Find(MapThresholds, bytes => NativeMethods.SetAllocator(MapThreshold, bytes) != 0);
            _ = NativeMethods.SetAllocator(TrimThreshold, KeptBytes);
            return mapped;
        }
        catch (EntryPointNotFoundException)
        {
            return 0; // musl
        }
    }

    private static bool IsSet(string setting, Func<string, string?> variable) =>
        variable($"MALLOC_{setting.ToUpperInvariant()}_") is not null
        || variable("GLIBC_TUNABLES")?.Contains($"glibc.malloc.{setting}=", StringComparison.Ordinal) == true;
}
