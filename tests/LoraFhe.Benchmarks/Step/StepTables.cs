namespace LoraFhe.Benchmarks;

/// <summary>A model's steps as Markdown.</summary>
internal static class StepTables
{
    private static readonly Dictionary<string, Bar> Bars = new()
    {
        ["disable"] = Bar.Disable,
        ["simulate"] = Bar.Simulate,
        [StepReport.Execute] = Bar.Step,
        [StepReport.Loopback] = Bar.Loopback,
    };

    public static void Write(StepModelReport report, bool fullWidth512, TextWriter output)
    {
        var product = report.Product;
        output.WriteLine($"**{report.Title}**, {report.Batch} × {report.Tokens / report.Batch} tokens a step, {report.Threads} thread(s). {product.Inputs}→{product.Outputs} at {report.Tokens} tokens: libtorch {product.TorchGmacs:F0} GMAC/s, our server {product.ServerGmacs:F0}, our client {product.ClientNanoseconds:F1} ns a number.");
        Traffic(report, output);
        Best(report.TorchAtItsBest, output);
        output.WriteLine();
        output.WriteLine("| mode | seconds | over torch | both at their best | bar |");
        output.WriteLine("|---|---|---|---|---|");
        foreach (var row in report.Rows)
        {
            var bar = report.BarsHold ? Bars.GetValueOrDefault(row.Mode)?.Verdict(row.OverBest, fullWidth512) ?? "" : "";
            output.WriteLine($"| {row.Mode} | {row.Seconds:F3} | {row.OverTorch.Median:F2} ({row.OverTorch.Low:F2}–{row.OverTorch.High:F2}) | {row.OverBest:F2} | {bar} |");
        }

        output.WriteLine();
        Memory(report.Memory, fullWidth512, output);
    }

    private static void Traffic(StepModelReport report, TextWriter output)
    {
        if (report.Traffic is { } traffic)
        {
            output.WriteLine($"A step in execute: {traffic.Calls:F0} calls, {Mebibytes(traffic.BytesUp)} MiB up, {Mebibytes(traffic.BytesDown)} MiB down; the client does {traffic.ClientShare:P0} of the frozen layers' multiply-adds. Compiling took {report.PrepareSeconds:F1} s.");
        }
    }

    private static void Best(TorchAtItsBest? best, TextWriter output)
    {
        if (best is not null)
        {
            output.WriteLine($"Torch mode alone, seconds a step: {string.Join(", ", best.Seconds.Select(entry => $"{entry.Key} {entry.Value:F3}"))}. Its best here: {best.Setting}.");
        }
    }

    private static void Memory(IReadOnlyList<AloneRun> runs, bool fullWidth512, TextWriter output)
    {
        if (runs.Count == 0)
        {
            return;
        }

        output.WriteLine("| mode, in a process of its own | peak MiB | of that, hints | over torch | without hints | bar | managed KiB allocated a step | of that, by the thread that trains | bar | tensors alive, before and after |");
        output.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (var run in runs)
        {
            var torch = (double)runs[0].PeakBytes;
            var peak = run.Mode == StepReport.Execute ? Bar.PeakWithoutHints.Verdict((run.PeakBytes - run.HintBytes) / torch, fullWidth512) : "";
            output.WriteLine($"| {run.Mode} | {Mebibytes(run.PeakBytes)} | {Mebibytes(run.HintBytes)} | {run.PeakBytes / torch:F2} | {(run.PeakBytes - run.HintBytes) / torch:F2} | {peak} | {run.AllocatedBytes / 1024:F0} | {run.AllocatedBytesOfThread / 1024:F0} | < 1024, {(run.AllocatedBytes < Bar.AllocatedBytes ? "met" : "**missed**")} | {run.TensorsBefore}, {run.TensorsAfter} |");
        }

        output.WriteLine();
    }

    private static string Mebibytes(double bytes) => $"{bytes / 1048576:F0}";
}
