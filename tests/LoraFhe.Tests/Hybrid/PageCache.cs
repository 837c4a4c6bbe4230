using System.Globalization;
using System.Runtime.InteropServices;

namespace LoraFhe.Tests.Hybrid;

/// <summary>What Linux holds of a file in memory, asked and changed without the code under test.</summary>
internal static unsafe partial class PageCache
{
    private const int DontNeed = 4;
    private const int ReadOnly = 1;
    private const int Shared = 1;

    /// <summary>The mappings of a file in this process: address, length and how it is mapped, such as <c>r--s</c>.</summary>
    public static IReadOnlyList<(nint Start, long Length, string How)> Mappings(string path) =>
    [
        .. File.ReadLines("/proc/self/maps").Where(line => line.EndsWith(path, StringComparison.Ordinal)).Select(line => line.Split(' ')).Select(parts =>
        {
            var range = parts[0].Split('-').Select(text => long.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToArray();
            return ((nint)range[0], range[1] - range[0], parts[1]);
        }),
    ];

    /// <summary>Takes a file's pages away, as the system does when it needs the memory. A file system that lives in memory keeps them.</summary>
    public static void Evict(string path)
    {
        foreach (var (start, length, _) in Mappings(path))
        {
            Assert.Equal(0, Madvise(start, (nuint)length, DontNeed));
        }

        using var file = File.OpenHandle(path);
        Assert.Equal(0, PosixFadvise((int)file.DangerousGetHandle(), 0, 0, DontNeed));
    }

    /// <summary>Whether all of a file is in memory, except its first page: a hint file begins with a header, which is read once.</summary>
    public static bool Holds(string path)
    {
        using var file = File.OpenHandle(path);
        var length = (nuint)RandomAccess.GetLength(file);
        var start = Mmap(0, length, ReadOnly, Shared, (int)file.DangerousGetHandle(), 0);
        Assert.NotEqual(-1, start);
        var states = new byte[(int)((length + (nuint)Environment.SystemPageSize - 1) / (nuint)Environment.SystemPageSize)];
        fixed (byte* first = states)
        {
            Assert.Equal(0, Mincore(start, length, first));
        }

        Assert.Equal(0, Munmap(start, length));
        return states.Skip(1).All(state => (state & 1) != 0);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(nint start, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int PosixFadvise(int file, long offset, long length, int advice);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Mmap(nint address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Munmap(nint start, nuint length);

    [LibraryImport("libc", EntryPoint = "mincore")]
    private static partial int Mincore(nint start, nuint length, byte* states);
}
