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
            return System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString();
        }

        var fields = File.ReadLines(Linux).TakeWhile(l => l.Length > 0)
            .Select(l => l.Split(':', 2, StringSplitOptions.TrimEntries))
            .Where(f => f.Length == 2)
            .ToDictionary(f => f[0], f => f[1], StringComparer.Ordinal);
        string Field(string name) => fields.GetValueOrDefault(name, "?");
        return $"{Field("model name")} (family {Field("cpu family")}, model {Field("model")})";
    }
}
