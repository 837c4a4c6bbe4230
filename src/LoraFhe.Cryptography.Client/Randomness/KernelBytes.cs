using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace LoraFhe.Cryptography.Client;

/// <summary>Random bytes straight from the operating system's kernel.</summary>
/// <remarks>On Unix <see cref="RandomNumberGenerator"/> is OpenSSL's generator, whose state a snapshot of the process's memory holds; the kernel's is reseeded when a machine is resumed.
/// On Windows <see cref="RandomNumberGenerator"/> is the system's own.</remarks>
internal static class KernelBytes
{
    private const string Device = "/dev/urandom";

    private static readonly Lazy<SafeFileHandle> Handle =
        new(static () => File.OpenHandle(Device), LazyThreadSafetyMode.PublicationOnly);

    /// <summary>Fills memory.</summary>
    /// <exception cref="InvalidOperationException">The device gave no bytes.</exception>
    /// <exception cref="IOException">The device cannot be opened or read.</exception>
    public static void Fill(Span<byte> destination)
    {
        if (OperatingSystem.IsWindows())
        {
            RandomNumberGenerator.Fill(destination);
            return;
        }

        while (!destination.IsEmpty)
        {
            var read = RandomAccess.Read(Handle.Value, destination, fileOffset: 0);
            if (read <= 0)
            {
                throw Errors.NoKernelRandomness();
            }

            destination = destination[read..];
        }
    }
}
