using System.Runtime.InteropServices;

namespace LoraFhe.Cryptography.Client;

/// <summary>What the system holds of a mapped file in memory. Linux only: elsewhere everything counts as held, and nothing is read ahead.</summary>
internal static unsafe partial class MappedPages
{
    private const int WillNeed = 3;

    // One page of each 4 MiB stands for it: the system takes pages away in long runs, and a look costs a microsecond or two.
    private const long Stride = 4 << 20;

    /// <summary>Whether all pages that were looked at are in memory.</summary>
    /// <param name="start">The first byte, within a mapping.</param>
    /// <param name="length">Bytes, at least 1.</param>
    public static bool AreHeld(byte* start, long length)
    {
        if (!OperatingSystem.IsLinux())
        {
            return true;
        }

        for (var offset = 0L; offset < length; offset += Stride)
        {
            byte state;
            if (Mincore(PageOf(start + offset), 1, &state) == 0 && (state & 1) == 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Has the system begin to read the pages that are not in memory, and does not wait for them.</summary>
    /// <param name="start">The first byte, within a mapping.</param>
    /// <param name="length">Bytes, at least 1.</param>
    public static void ReadAhead(byte* start, long length)
    {
        if (OperatingSystem.IsLinux())
        {
            // Only advice: where it is not taken, the pages are read when they are used.
            var page = PageOf(start);
            _ = Madvise(page, (nuint)(start + length - page), WillNeed);
        }
    }

    private static byte* PageOf(byte* address) => (byte*)((nuint)address & ~((nuint)Environment.SystemPageSize - 1));

    [LibraryImport("libc", EntryPoint = "mincore")]
    private static partial int Mincore(byte* start, nuint length, byte* states);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(byte* start, nuint length, int advice);
}
