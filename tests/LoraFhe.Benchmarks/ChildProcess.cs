using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace LoraFhe.Benchmarks;

/// <summary>This program again, in a process of its own that writes one line of JSON: what a process holds at most, and what its environment does,
/// is seen only so.</summary>
internal static class ChildProcess
{
    /// <summary>Runs a command and reads what it found.</summary>
    /// <param name="arguments">The command and its arguments.</param>
    /// <param name="type">Of the line that it writes.</param>
    /// <param name="environment">Variables added to this process's; null: none.</param>
    /// <exception cref="InvalidOperationException">It ended with another exit code than 0; what it wrote to standard error was passed on.</exception>
    public static T Run<T>(IReadOnlyList<string> arguments, JsonTypeInfo<T> type, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = StartInfo(arguments);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? JsonSerializer.Deserialize(text, type)!
            : throw new InvalidOperationException($"'{string.Join(' ', arguments)}' in a process of its own ended with exit code {process.ExitCode}; what it wrote stands above.");
    }

    /// <summary>How to start this program with other arguments: its output is read, its standard error is this process's, and its input ends with
    /// this process.</summary>
    public static ProcessStartInfo StartInfo(IReadOnlyList<string> arguments) =>
        new("dotnet", [typeof(ChildProcess).Assembly.Location, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true };

    /// <summary>In the process that was started: kills it when the one that started it has ended, however it ended, since nobody is left to read what
    /// it measures.</summary>
    public static void EndWithParent(TextReader parent) => new Thread(() =>
    {
        parent.ReadToEnd();
        using var self = Process.GetCurrentProcess();
        self.Kill();
    })
    { IsBackground = true }.Start();
}
