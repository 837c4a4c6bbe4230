using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace LoraFhe.Benchmarks;

/// <summary>The part of the memory command that runs in a process of its own: one mode, one model, and one line of JSON.</summary>
internal static class MemoryChild
{
    public const string Command = "memory-of";
    public const string Tiny = "tiny";
    public const string Wide = "wide";

    /// <summary>The wide model with its hints in a folder.</summary>
    public const string WideMapped = "wide-mapped";

    /// <summary>Runs <c>tiny MODE STEPS</c>, <c>wide MODE STEPS</c> or <c>wide-mapped MODE STEPS</c>.</summary>
    public static int Run(string[] arguments, TextWriter output, TextReader parent)
    {
        ChildProcess.EndWithParent(parent);
        var mode = HybridFheModes.Parse(arguments[1]);
        var steps = int.Parse(arguments[2], CultureInfo.InvariantCulture);
        output.WriteLine(arguments[0] == Tiny
            ? Line(TinyRun.Measure(mode, steps), MemoryJson.Default.MemoryRow)
            : Line(WideRun.Measure(mode, steps, mapsHints: arguments[0] == WideMapped), MemoryJson.Default.PeakRow));
        return 0;
    }

    private static string Line<T>(T row, JsonTypeInfo<T> type) => JsonSerializer.Serialize(row, type);
}
