using System.Globalization;
using LoraFhe.Cryptography.Client;
using Serilog;
using Serilog.Extensions.Logging;
using static TorchSharp.torch;
using ILogger = Microsoft.Extensions.Logging.ILogger;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>The main job: fine-tune in the chosen mode, fine-tune in clear from the same start, show both.</summary>
internal static class FineTuning
{
    public static void Run(RunOptions options, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(options.Out);
        using var logs = new SerilogLoggerFactory(
            new LoggerConfiguration().WriteTo.File(Path.Combine(options.Out, "training.log"), formatProvider: CultureInfo.InvariantCulture).CreateLogger(), dispose: true);
        var logger = logs.CreateLogger("LoraFhe");
        var text = PrivateText.Read(options);
        using var transcript = options.Record is { } folder ? new Transcript(folder, options.Model) { Bits = options.Bits } : null;
        using var backend = transcript is null
            ? new InProcessFheBackend()
            : new InProcessFheBackend(new InProcessFheOptions(), KernelSecretSource.Instance, new InsecureTranscriptRecorder(transcript.Record));

        var tuned = Tune(options, text, logger, backend, transcript, cancellationToken);
        var clear = options.Mode == HybridFheMode.Torch ? tuned : Compare(options, text, logger, cancellationToken);
        Show(options, tuned, clear, transcript);
    }

    /// <summary>The run that was asked for.</summary>
    private static TuningResult Tune(
        RunOptions options, PrivateText text, ILogger logger, InProcessFheBackend backend, Transcript? transcript, CancellationToken cancellationToken)
    {
        var checkpoints = Path.Combine(options.Out, "checkpoints");
        if (!options.Resume)
        {
            SetAside(checkpoints);
        }

        using var run = new Experiment(options, text, options.Mode, logger, backend, checkpoints);
        Announce(options, text, run);
        var done = run.Compile(new Told<FheProgress>(ShowKeys), cancellationToken);
        transcript?.SaveSeed(backend.Seed!.Bytes);
        Screen.Title($"Fine-tuning, {options.Mode.ToPythonName()}");
        if (done > 0)
        {
            Screen.Line($"  taken up after step {done} of {run.Steps}");
        }

        var before = run.Perplexity();
        Screen.Line(string.Create(CultureInfo.InvariantCulture, $"  perplexity on held-out lines: {before:F1}"));
        var sampleBefore = run.Sample(cancellationToken);
        Screen.Quote("a sample", sampleBefore);

        var traffic = backend.Traffic;
        var clock = new StepClock(p =>
        {
            // One step is enough to show that the encryption is real, and small enough to replay.
            transcript?.IsOn = false;
            Screen.Progress("training", p.GlobalStep, run.Steps, string.Create(CultureInfo.InvariantCulture, $"loss {p.Loss:F3}"));
        });
        transcript?.IsOn = true;
        run.Train(clock, cancellationToken);
        traffic = backend.Traffic - traffic;

        var after = run.Perplexity();
        Screen.Line(string.Create(CultureInfo.InvariantCulture, $"  perplexity on held-out lines: {after:F1}"));
        var sampleAfter = run.Sample(cancellationToken);
        Screen.Quote("a sample", sampleAfter);
        run.SaveAdapter(Path.Combine(options.Out, "adapter"));
        return new TuningResult(run.Steps, run.TrainableParameters, [.. run.Losses], before, after, sampleBefore, sampleAfter, clock.MedianSeconds, traffic);
    }

    private static void ShowKeys(FheProgress progress)
    {
        if (progress.Stage == FheStage.Prepare)
        {
            Screen.Progress("hints   ", progress.Completed, progress.Total, progress.Completed == progress.Total ? "" : progress.Layer);
        }
    }

    /// <summary>The same steps from the same start with float32 weights, in clear.</summary>
    private static TuningResult Compare(RunOptions options, PrivateText text, ILogger logger, CancellationToken cancellationToken)
    {
        Screen.Title("The same steps in clear, to compare");
        using var run = new Experiment(options, text, HybridFheMode.Torch, logger, backend: null, checkpoints: null);
        var before = run.Perplexity();
        var clock = new StepClock(p => Screen.Progress("training", p.GlobalStep, run.Steps, string.Create(CultureInfo.InvariantCulture, $"loss {p.Loss:F3}")));
        run.Train(clock, cancellationToken);
        var after = run.Perplexity();
        Screen.Line(string.Create(CultureInfo.InvariantCulture, $"  perplexity on held-out lines: {after:F1}"));
        return new TuningResult(run.Steps, run.TrainableParameters, [.. run.Losses], before, after, "", "", clock.MedianSeconds, default);
    }

    private static void Announce(RunOptions options, PrivateText text, Experiment run)
    {
        var encrypted = options.Mode == HybridFheMode.Execute;
        Screen.Title("LoRA on a private text, with the model's frozen layers computed "
            + (encrypted ? "under encryption" : $"in mode '{options.Mode.ToPythonName()}', without encryption"));
        Screen.Line($"  The server half holds {Path.GetFileName(options.Model)}'s frozen layers and sees {(encrypted ? "ciphertexts only" : "activations in clear")}; the client half holds the text and the adapters.");
        Screen.Line(string.Create(CultureInfo.InvariantCulture, $"  {run.Steps} steps of {options.Batch} × {options.Length} tokens of {Path.GetFileName(options.Data)}; {run.TrainableParameters:N0} parameters to train, rank {options.Rank}."));
        Screen.Line(options.Mode == HybridFheMode.Torch ? "  Then the figures." : "  Then the same steps in clear, and the figures side by side.");
        if (options.Record is not null)
        {
            Screen.Line($"  WARNING: what crosses in the first step, and its spent secrets, go to {options.Record}: never do this with data that matters.");
        }
    }

    private static void Show(RunOptions options, TuningResult tuned, TuningResult clear, Transcript? transcript)
    {
        var plot = Path.Combine(options.Out, "loss.png");
        var name = options.Mode.ToPythonName();
        var curves = new List<(string, IReadOnlyList<double>)> { (name, tuned.Losses) };
        if (!ReferenceEquals(tuned, clear))
        {
            curves.Add(("torch (clear)", clear.Losses));
        }

        LossPlot.Save(plot, $"LoRA on {Path.GetFileName(options.Data)}", curves);
        Screen.Title("What came of it");
        Screen.Facts(Facts(options, tuned, clear, transcript));
        if (options.Mode == HybridFheMode.Execute)
        {
            Screen.Line("");
            Screen.Line("  A model 128 wide is the worst case: masking and unmasking an activation costs the same whatever the width, while the product it");
            Screen.Line("  serves grows with it; docs/performance.md has the figures of wider layers.");
        }

        Screen.Line("");
        Screen.Line($"  adapter (peft's format): {Path.Combine(options.Out, "adapter")}");
        Screen.Line($"  loss curves:             {plot}");
        if (options.Report is { } report)
        {
            ReportOf(options, tuned, clear).Save(report);
            Screen.Line($"  figures:                 {report}");
        }
    }

    private static IEnumerable<(string, string)> Facts(RunOptions options, TuningResult tuned, TuningResult clear, Transcript? transcript)
    {
        var name = options.Mode.ToPythonName();
        yield return ("loss", $"{tuned.Losses[0]:F3} {Sparkline.Draw(tuned.Losses, 50)} {tuned.Losses[^1]:F3}");
        yield return ("perplexity, held-out lines", $"{tuned.PerplexityBefore:F1} → {tuned.PerplexityAfter:F1} ({name}); {clear.PerplexityAfter:F1} with the same seed and steps in clear");
        yield return ("a step", $"{tuned.SecondsPerStep:F3} s ({name}), {clear.SecondsPerStep:F3} s in clear: × {tuned.SecondsPerStep / clear.SecondsPerStep:F2}");
        if (options.Mode != HybridFheMode.Execute)
        {
            yield break;
        }

        yield return ("to the server half", $"{Screen.Bytes(tuned.Traffic.BytesUp)} in {tuned.Traffic.Calls:N0} requests: ciphertexts, each under a secret used once");
        yield return ("back from it", $"{Screen.Bytes(tuned.Traffic.BytesDown)}, every response checked");
        yield return ("keys at the server half", "none: it has no key, and its assembly cannot refer to the one that decrypts");
        yield return ("client's share of multiply-adds", $"{100 * tuned.Traffic.ClientShare:F1} % of those of the frozen layers");
        yield return ("kernel", $"{InProcessFheBackend.KernelName}, {get_num_threads()} threads, {Processor.Name}");
        if (transcript is not null)
        {
            yield return ("recorded", $"{transcript.Calls} calls; dotnet run -c Release --project tools/replay -- {options.Record}");
        }
    }

    private static RunReport ReportOf(RunOptions options, TuningResult tuned, TuningResult clear) => new()
    {
        Mode = options.Mode.ToPythonName(),
        Steps = tuned.Steps,
        Losses = tuned.Losses,
        PerplexityBefore = tuned.PerplexityBefore,
        PerplexityAfter = tuned.PerplexityAfter,
        TorchPerplexityAfter = clear.PerplexityAfter,
        SecondsPerStep = tuned.SecondsPerStep,
        TorchSecondsPerStep = clear.SecondsPerStep,
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
    };

    // A new run never mixes with an old one's checkpoints, and never deletes the latest of them.
    private static void SetAside(string checkpoints)
    {
        var previous = checkpoints + ".previous";
        if (Directory.Exists(checkpoints) && Directory.EnumerateFileSystemEntries(checkpoints).Any())
        {
            if (Directory.Exists(previous))
            {
                Directory.Delete(previous, recursive: true);
            }

            Directory.Move(checkpoints, previous);
        }
    }
}
