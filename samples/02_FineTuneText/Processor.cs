using System.Runtime.InteropServices;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>The processor a figure was measured on.</summary>
internal static class Processor
{
    public static string Name { get; } = ReadName();

    private static string ReadName()
    {
        const string Linux = "/proc/cpuinfo";
        if (!File.Exists(Linux))
        {
            return RuntimeInformation.ProcessArchitecture.ToString();
        }

        var fields = File.ReadLines(Linux).TakeWhile(l => l.Length > 0)
            .Select(l => l.Split(':', 2, StringSplitOptions.TrimEntries))
            .Where(f => f.Length == 2)
            .DistinctBy(f => f[0])
            .ToDictionary(f => f[0], f => f[1], StringComparer.Ordinal);
        string Field(string name) => fields.GetValueOrDefault(name, "?");

        // Arm names no model there.
        return fields.ContainsKey("model name")
            ? $"{Field("model name")} (family {Field("cpu family")}, model {Field("model")})"
            : RuntimeInformation.ProcessArchitecture.ToString();
    }
}
