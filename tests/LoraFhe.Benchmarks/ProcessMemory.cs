using System.Diagnostics;
using System.Globalization;

namespace LoraFhe.Benchmarks;

/// <summary>What the operating system says this process holds.</summary>
internal static class ProcessMemory
{
    private const string Status = "/proc/self/status";

    /// <summary>Bytes in memory now, the most there ever were, and those of now that no file stands behind: what the system cannot take back
    /// without a place to swap to.</summary>
    public static (long Resident, long Peak, long Private) Read()
    {
        if (File.Exists(Status))
        {
            var lines = File.ReadAllLines(Status);
            return (Kibibytes(lines, "VmRSS:") << 10, Kibibytes(lines, "VmHWM:") << 10, Kibibytes(lines, "RssAnon:") << 10);
        }

        using var process = Process.GetCurrentProcess();
        return (process.WorkingSet64, process.PeakWorkingSet64, process.PrivateMemorySize64);
    }

    private static long Kibibytes(string[] lines, string name) =>
        long.Parse(lines.Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].TrimStart().Split(' ')[0], CultureInfo.InvariantCulture);
}
