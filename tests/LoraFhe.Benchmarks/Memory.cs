using System.Text.Json.Serialization.Metadata;
using LoraFhe.Samples.FineTuneText;

namespace LoraFhe.Benchmarks;

/// <summary>Trains in every mode, each in a process of its own, and tells what memory it took.</summary>
internal static class Memory
{
    private const int WideSteps = 20;

    public static MemoryReport Run(MemoryOptions options, TextWriter output)
    {
        output.WriteLine($"{Processor.Name}. MLP 2-64-64-2, 32 rows a step, {options.Steps} steps: MiB after 10 %, 50 % and 100 %.");
        output.WriteLine();
        output.WriteLine("| mode | resident | peak | managed heap | tensors | managed KiB allocated a step |");
        output.WriteLine("|---|---|---|---|---|---|");
        var tiny = new List<MemoryRow>();
        foreach (var mode in Modes())
        {
            var row = Child(MemoryChild.Tiny, mode, options.Steps, MemoryJson.Default.MemoryRow);
            tiny.Add(row);
            output.WriteLine($"| {row.Mode} | {Each(row, s => Mebibytes(s.ResidentBytes))} | {Mebibytes(row.Samples[^1].PeakBytes)} | {Each(row, s => $"{s.ManagedBytes / 1048576.0:F2}")} | {Each(row, s => $"{s.Tensors}")} | {row.Samples[^1].AllocatedBytesPerStep / 1024:F1} |");
        }

        output.WriteLine();
        output.WriteLine($"Llama with SmolLM2-135M's widths, 4 layers, 512 tokens, {WideSteps} steps: the most the process held, in MiB.");
        output.WriteLine();
        output.WriteLine("| mode | peak | without files | hints in memory | hints mapped | over torch | without hints | managed KiB allocated a step |");
        output.WriteLine("|---|---|---|---|---|---|---|---|");
        List<PeakRow> wide =
        [
            .. Modes().Select(mode => Child(MemoryChild.Wide, mode, WideSteps, MemoryJson.Default.PeakRow)),
            Child(MemoryChild.WideMapped, HybridFheMode.Execute.ToPythonName(), WideSteps, MemoryJson.Default.PeakRow),
        ];
        foreach (var row in wide)
        {
            var torch = (double)wide[0].PeakBytes;
            var hints = row.HintBytes + row.MappedHintBytes;
            output.WriteLine($"| {row.Mode} | {Mebibytes(row.PeakBytes)} | {Mebibytes(row.PrivateBytes)} | {Mebibytes(row.HintBytes)} | {Mebibytes(row.MappedHintBytes)} | {row.PeakBytes / torch:F2} | {(row.PeakBytes - hints) / torch:F2} | {row.AllocatedBytesPerStep / 1024:F0} |");
        }

        return new MemoryReport(Processor.Name, options.Steps, tiny, wide);
    }

    private static IEnumerable<string> Modes() => Enum.GetValues<HybridFheMode>().OrderByDescending(mode => mode == HybridFheMode.Torch).Select(mode => mode.ToPythonName());

    private static T Child<T>(string run, string mode, int steps, JsonTypeInfo<T> type) =>
        ChildProcess.Run([MemoryChild.Command, run, mode, $"{steps}"], type);

    private static string Each(MemoryRow row, Func<MemorySample, string> text) => string.Join(", ", row.Samples.Select(text));

    private static string Mebibytes(long bytes) => $"{bytes / 1048576.0:F0}";
}
