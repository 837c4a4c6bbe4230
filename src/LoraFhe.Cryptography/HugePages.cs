using System.Runtime.InteropServices;

namespace LoraFhe.Cryptography;

/// <summary>Asks the system for pages of 2 MiB: what streams through memory then seldom waits for a page's address.</summary>
internal static unsafe partial class HugePages
{
    /// <summary>Bytes of a page.</summary>
    public const int Size = 2 << 20;

    private const int MadvHugepage = 14;

    /// <summary>Advises Linux, before the memory is first touched; elsewhere nothing. Advice that is not taken changes no result.</summary>
    /// <param name="memory">On a boundary of <see cref="Size"/>.</param>
    /// <param name="length">Bytes.</param>
    public static void Advise(void* memory, nuint length)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = Advise((nint)memory, length, MadvHugepage);
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
