using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace LoraFhe;

/// <summary>Makes libtorch's bridge loadable on Linux systems whose C++ runtime is older than the one it was built with.</summary>
/// <remarks>
/// TorchSharp 0.107.0's <c>libLibTorchSharp.so</c> names the symbol version <c>GLIBCXX_3.4.32</c> (GCC 13), which Debian 12 and Ubuntu 22.04
/// lack. No relocation uses it. Where the stock file loads, nothing here runs; where it does not, an image of it with that one
/// requirement marked weak is loaded from memory, and no file is changed.
/// </remarks>
public static class LibTorch
{
    private const string BridgeName = "LibTorchSharp";
    private static int _initialized;
    private static bool _isLoaded;

    /// <summary>
    /// Installs the fallback. A program that references the package calls this before its first statement, without writing anything:
    /// the package compiles a module initializer into it. Calling it again does nothing. Thread-safe.
    /// </summary>
    public static void Initialize()
    {
        if (Interlocked.Exchange(ref _initialized, 1) != 0 || !OperatingSystem.IsLinux())
        {
            return;
        }

        // libgomp reads it when libtorch is loaded: threads that spin between parallel regions would take the cores from the encryption.
        NativeMethods.SetEnvironmentIfUnset("OMP_WAIT_POLICY", "passive");
        NativeHeap.KeepFreed(Environment.GetEnvironmentVariable);
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += Resolve;
    }

    /// <summary>Checks that this system can run TorchSharp at all; the library's own entry points call it. After a success it costs nothing.</summary>
    /// <exception cref="PlatformNotSupportedException">The system is neither Linux x64 nor macOS on Arm64, or libtorch's files are missing; the
    /// message names the cure.</exception>
    public static void EnsureSupported()
    {
        if (Volatile.Read(ref _isLoaded))
        {
            return;
        }

        Initialize();
        var platform = OperatingSystem.IsLinux() ? OSPlatform.Linux : OperatingSystem.IsMacOS() ? OSPlatform.OSX : OSPlatform.Windows;
        var fault = PlatformFault(platform, RuntimeInformation.ProcessArchitecture, RuntimeInformation.RuntimeIdentifier)
            ?? (Loads("torch_cpu") && Loads(BridgeName) ? null : Errors.LibTorchMissing(AppContext.BaseDirectory));
        if (fault is not null)
        {
            throw new PlatformNotSupportedException(fault);
        }

        Volatile.Write(ref _isLoaded, true);
    }

    /// <summary>Why TorchSharp has no native part for a system; null if it has one.</summary>
    internal static string? PlatformFault(OSPlatform platform, Architecture architecture, string runtimeIdentifier) =>
        (platform == OSPlatform.Linux && architecture == Architecture.X64) || (platform == OSPlatform.OSX && architecture == Architecture.Arm64)
            ? null
            : Errors.UnsupportedPlatform(runtimeIdentifier);

    private static bool Loads(string library) => NativeLibrary.TryLoad(library, typeof(TorchSharp.torch).Assembly, null, out _);

    // Raised only after the runtime's own probing has failed.
    private static nint Resolve(Assembly assembly, string name)
    {
        if (name is not (BridgeName or "lib" + BridgeName or "lib" + BridgeName + ".so"))
        {
            return 0;
        }

        foreach (var folder in NativeFolders())
        {
            var bridge = Path.Combine(folder, "lib" + BridgeName + ".so");
            if (File.Exists(bridge))
            {
                return LoadPatched(bridge, folder);
            }
        }

        return 0;
    }

    private static nint LoadPatched(string bridge, string folder)
    {
        // The image in memory has no folder of its own: what it needs must be loaded before it.
        foreach (var dependency in new[] { "libc10.so", "libtorch_cpu.so", "libtorch.so" })
        {
            NativeLibrary.TryLoad(Path.Combine(folder, dependency), out _);
        }

        var image = File.ReadAllBytes(bridge);
        return ElfVersionNeeds.MarkWeak(image, "GLIBCXX_3.4.32") ? NativeMethods.LoadFromMemory(image, BridgeName) : 0;
    }

    private static IEnumerable<string> NativeFolders()
    {
        // The runtime's list holds the application's folder and, for a program run from NuGet's cache, the packages' native folders.
        var listed = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        return listed.Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Append(AppContext.BaseDirectory)
            .Append(Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native"));
    }
}
