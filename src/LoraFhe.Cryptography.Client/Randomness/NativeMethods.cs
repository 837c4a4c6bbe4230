using System.Runtime.InteropServices;

namespace LoraFhe.Cryptography.Client;

/// <summary>What the base library remembers and the system knows anew.</summary>
internal static partial class NativeMethods
{
    /// <summary>This process's id, asked of the system each time: <see cref="Environment.ProcessId"/> is remembered, in a forked process its parent's.</summary>
    public static int ProcessId => OperatingSystem.IsWindows() ? Environment.ProcessId : GetProcessId();

    [LibraryImport("libc", EntryPoint = "getpid")]
    private static partial int GetProcessId();
}
