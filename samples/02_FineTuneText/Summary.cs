using System.Globalization;
using static TorchSharp.torch;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>What is said before a run and after it.</summary>
internal static class Summary
{
    public static void Announce(RunOptions options, Experiment run)
    {
        var encrypted = options.Mode == HybridFheMode.Execute;
        Screen.Title($"LoRA of {NameOf(options.Model)} on a private text, frozen layers {(encrypted ? "under encryption" : "WITHOUT encryption")}");
        Screen.Paragraph(string.Create(
            CultureInfo.InvariantCulture,
            $"Trains {run.TrainableParameters:N0} weights on {NameOf(options.Data)}: {run.Steps} steps of {options.Batch} × {options.Length} tokens; {100 * run.PaddingShare:F1} % of its batches is padding."));
        Screen.Paragraph(encrypted
            ? "The client half keeps text and keys; the server half sees ciphertexts only."
            : $"Mode '{options.Mode.ToPythonName()}' is for trying out: the layers see activations in clear.");
        Screen.Paragraph(options.Mode == HybridFheMode.Torch ? "Then shows the figures." : "Then takes the same steps in clear, and shows the figures side by side.");
        if (options.Record is not null)
        {
            Screen.Paragraph(
                $"WARNING: what crosses in the first step, and its spent secrets, go to {Screen.PathOf(options.Record)}. Never do this with data that matters.");
        }
    }

    public static void Show(RunOptions options, RunFolder folder, TuningResult tuned, TuningResult clear, Transcript? transcript)
    {
        Plot(options, folder, tuned, clear);
        Screen.Title("What came of it");
        Screen.Facts(Facts(options, tuned, clear, transcript));
        if (options.Mode == HybridFheMode.Execute)
        {
            Screen.Line();
            Screen.Paragraph(
                "Frankly: the narrower a model, the worse the ratio; the one that ships, 128 wide, is the worst case. To mask and unmask an activation costs "
                + "the same whatever the width, while the product it serves grows with it. docs/performance.md has the figures of wider layers.");
        }

        Screen.Line();
        Screen.Line($"  {"adapter, peft's format",-23} {Screen.PathOf(folder.Adapter)}");
        Screen.Line($"  {"loss curves",-23} {Screen.PathOf(folder.Plot)}");
        if (options.Report is { } report)
        {
            ReportOf(options, tuned, clear).Save(report);
            Screen.Line($"  {"figures",-23} {Screen.PathOf(report)}");
        }
    }

    private static void Plot(RunOptions options, RunFolder folder, TuningResult tuned, TuningResult clear)
    {
        var name = options.Mode.ToPythonName();
        var curves = new List<(string, IReadOnlyList<double>)> { (options.Mode == HybridFheMode.Execute ? $"{name} (encrypted)" : name, tuned.Losses) };
        if (!ReferenceEquals(tuned, clear))
        {
            curves.Add(("torch (clear)", clear.Losses));
        }

        LossPlot.Save(folder.Plot, $"LoRA on {NameOf(options.Data)}", curves);
    }

    private static IEnumerable<(string, string)> Facts(RunOptions options, TuningResult tuned, TuningResult clear, Transcript? transcript)
    {
        const int NumbersBesideSparkline = 14;
        var name = options.Mode.ToPythonName();
        var isTorch = options.Mode == HybridFheMode.Torch;
        var curve = Sparkline.Draw(tuned.Losses, Math.Min(50, Screen.ValueWidth - NumbersBesideSparkline));
        var inClear = isTorch ? "" : string.Create(CultureInfo.InvariantCulture, $"; → {clear.PerplexityAfter:F1} in clear, same seed");
        yield return ("loss", string.Create(CultureInfo.InvariantCulture, $"{tuned.Losses[0]:F3} {curve} {tuned.Losses[^1]:F3}"));
        yield return ("held-out perplexity", string.Create(
            CultureInfo.InvariantCulture, $"{tuned.PerplexityBefore:F1} → {tuned.PerplexityAfter:F1} ({name}){inClear}"));
        yield return ("seconds a step", Seconds(tuned, clear, name));
        if (options.Mode != HybridFheMode.Execute)
        {
            yield break;
        }

        var since = tuned.ResumedAfterStep > 0 ? $", since step {tuned.ResumedAfterStep}" : "";
        yield return ("sent to the server", $"{Screen.Bytes(tuned.Traffic.BytesUp)} in {tuned.Traffic.Calls:N0} requests{since}, each under a new secret");
        yield return ("received from it", $"{Screen.Bytes(tuned.Traffic.BytesDown)}; every response was checked");
        yield return ("keys at the server", "none: its code cannot even refer to what decrypts");
        yield return ("client's share", string.Create(
            CultureInfo.InvariantCulture, $"{100 * tuned.Traffic.ClientShare:F1} % of the frozen layers' multiply-adds; {100 * tuned.Traffic.PaddingShare:F1} % of its masks hid padding"));
        yield return ("computed by", $"{InProcessFheBackend.KernelName}, {get_num_threads()} threads, {Processor.Name}");
        if (transcript is not null)
        {
            yield return ("recorded", $"{transcript.Calls} calls. To check them: dotnet run -c Release --project tools/replay -- {Screen.PathOf(options.Record!)}");
        }
    }

    private static string Seconds(TuningResult tuned, TuningResult clear, string name)
    {
        if (double.IsNaN(tuned.SecondsPerStep))
        {
            return "too few steps to tell";
        }

        var own = string.Create(CultureInfo.InvariantCulture, $"{tuned.SecondsPerStep:F3} ({name})");
        var ratio = tuned.SecondsPerStep / clear.SecondsPerStep;
        return ReferenceEquals(tuned, clear) ? own : string.Create(CultureInfo.InvariantCulture, $"{own}, {clear.SecondsPerStep:F3} in clear: × {ratio:F2}");
    }

    private static RunReport ReportOf(RunOptions options, TuningResult tuned, TuningResult clear) => new()
    {
        Mode = options.Mode.ToPythonName(),
        Steps = tuned.Steps,
        Losses = tuned.Losses,
        PerplexityBefore = tuned.PerplexityBefore,
        PerplexityAfter = tuned.PerplexityAfter,
        TorchPerplexityAfter = clear.PerplexityAfter,
        SecondsPerStep = Measured(tuned.SecondsPerStep),
        TorchSecondsPerStep = Measured(clear.SecondsPerStep),
        BytesUp = tuned.Traffic.BytesUp,
        BytesDown = tuned.Traffic.BytesDown,
        Kernel = InProcessFheBackend.KernelName,
        Seed = options.Seed,
        TorchLosses = clear.Losses,
        ClientShareOfMultiplyAdds = tuned.Traffic.ClientShare,
        Cpu = Processor.Name,
        Threads = get_num_threads(),
        Bits = options.Bits,
        Rank = options.Rank,
        TrainableParameters = tuned.TrainableParameters,
        GenerationBefore = tuned.SampleBefore,
        GenerationAfter = tuned.SampleAfter,
        ResumedAfterStep = tuned.ResumedAfterStep,
    };

    private static double? Measured(double seconds) => double.IsNaN(seconds) ? null : seconds;

    private static string NameOf(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
}
