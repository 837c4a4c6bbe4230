using System.Runtime.InteropServices;

namespace LoraFhe;

/// <summary>The few Linux calls that prepare a process for libtorch.</summary>
internal static partial class NativeMethods
{
    private const uint CloseOnExec = 1;

    /// <summary>Sets a variable of the native environment, unless the user has set it: .NET's own environment is a copy.</summary>
    public static void SetEnvironmentIfUnset(string name, string value) => _ = SetEnv(name, value, overwrite: 0);

    /// <summary>Loads a shared object from bytes, through an anonymous file that no path names.</summary>
    /// <returns>The library's handle, or 0 where the kernel refuses.</returns>
    public static nint LoadFromMemory(ReadOnlySpan<byte> image, string name)
    {
        var descriptor = MemfdCreate(name, CloseOnExec);
        if (descriptor < 0)
        {
            return 0;
        }

        // Closed on return: the loader has mapped the file by then.
        using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(descriptor, ownsHandle: true);
        RandomAccess.Write(handle, image, fileOffset: 0);
        return NativeLibrary.TryLoad($"/proc/self/fd/{descriptor}", out var library) ? library : 0;
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemfdCreate(string name, uint flags);

    /// <summary>glibc's <c>mallopt</c>.</summary>
    /// <returns>0 if the value is refused.</returns>
    /// <exception cref="EntryPointNotFoundException">The C library is not glibc.</exception>
    [LibraryImport("libc", EntryPoint = "mallopt")]
    public static partial int SetAllocator(int parameter, int value);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);
}
