using System.Globalization;
using LoraFhe.Cryptography.Client;
using Serilog;
using Serilog.Extensions.Logging;
using ILogger = Microsoft.Extensions.Logging.ILogger;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>The main job: fine-tune in the chosen mode, fine-tune in clear from the same start, show both.</summary>
internal static class FineTuning
{
    public static void Run(RunOptions options, CancellationToken cancellationToken)
    {
        // What can be refused is refused before anything that takes time.
        using var folder = RunFolder.Open(options.Out);
        using var transcript = options.Record is { } record ? new Transcript(record, options.Model) { Bits = options.Bits } : null;
        if (options.Report is { } report)
        {
            RunReport.CheckPlace(report);
        }

        using var logs = new SerilogLoggerFactory(
            new LoggerConfiguration().WriteTo.File(folder.Log, formatProvider: CultureInfo.InvariantCulture).CreateLogger(), dispose: true);
        var logger = logs.CreateLogger("LoraFhe");
        using var backend = transcript is null
            ? new InProcessFheBackend()
            : new InProcessFheBackend(new InProcessFheOptions(), KernelSecretSource.Instance, new InsecureTranscriptRecorder(transcript.Record));

        var text = PrivateText.Read(options);
        var tuned = Tune(options, folder, text, logger, backend, transcript, cancellationToken);
        var clear = options.Mode == HybridFheMode.Torch ? tuned : Compare(options, text, logger, cancellationToken);
        Summary.Show(options, folder, tuned, clear, transcript);
    }

    /// <summary>The run that was asked for.</summary>
    private static TuningResult Tune(
        RunOptions options,
        RunFolder folder,
        PrivateText text,
        ILogger logger,
        InProcessFheBackend backend,
        Transcript? transcript,
        CancellationToken cancellationToken)
    {
        var state = options.Resume ? folder.Extend(options) : new RunState(options);
        using var run = new Experiment(options, text, options.Mode, logger, backend, folder.Checkpoints, state.Finished ?? []);
        Summary.Announce(options, run);
        if (!options.Resume)
        {
            folder.SetCheckpointsAside();
            folder.SaveState(state);
        }

        var done = Prepare(options, run, cancellationToken);
        transcript?.Begin(backend.Seed!.Bytes);
        Screen.Title($"Fine-tuning in {options.Mode.ToPythonName()} mode");
        if (options.Resume)
        {
            Screen.Line(done == 0 ? "  No checkpoint was written yet: this begins at the beginning." : $"  Taken up after step {done} of {run.Steps}.");
        }

        if (done == 0)
        {
            state = state with { PerplexityBefore = run.Perplexity(), SampleBefore = run.Sample(cancellationToken) };
            folder.SaveState(state);
        }

        Tell(state.PerplexityBefore ?? double.NaN, "The model goes on from a prompt, before:", state.SampleBefore ?? "");
        var (clock, traffic) = Train(run, backend, transcript, cancellationToken);
        var after = run.Perplexity();
        var sample = run.Sample(cancellationToken);
        Tell(after, "The same prompt and seed, after:", sample);
        run.SaveAdapter(folder.Adapter);
        return new TuningResult(
            run.Steps,
            done,
            run.TrainableParameters,
            [.. run.Losses],
            state.PerplexityBefore ?? double.NaN,
            after,
            state.SampleBefore ?? "",
            sample,
            clock.MedianSeconds,
            traffic);
    }

    private static int Prepare(RunOptions options, Experiment run, CancellationToken cancellationToken)
    {
        var done = run.Compile(cancellationToken);
        if (options.Mode == HybridFheMode.Execute)
        {
            // A hint is what lets the client take the mask off a layer's answers. Only execute needs them, and would make them by itself.
            using var bar = new ProgressBar("hints   ");
            run.MakeHints(new Told<FheProgress>(p => bar.Show(p.Completed, p.Total, p.Completed == p.Total ? "they let the client decrypt" : p.Layer)), cancellationToken);
        }

        return done;
    }

    private static (StepClock Clock, FheTraffic Traffic) Train(
        Experiment run, InProcessFheBackend backend, Transcript? transcript, CancellationToken cancellationToken)
    {
        var before = backend.Traffic;
        using var bar = new ProgressBar("training");
        var clock = new StepClock(p =>
        {
            // One step is enough to show that the encryption is real, and small enough to replay.
            transcript?.IsOn = false;
            Show(bar, p, run);
        });
        transcript?.IsOn = true;
        run.Train(clock, cancellationToken);
        transcript?.IsOn = false;
        return (clock, backend.Traffic - before);
    }

    /// <summary>The same steps from the same start with float32 weights, in clear.</summary>
    private static TuningResult Compare(RunOptions options, PrivateText text, ILogger logger, CancellationToken cancellationToken)
    {
        Screen.Title("The same steps in clear, to compare");
        using var run = new Experiment(options, text, HybridFheMode.Torch, logger, backend: null, checkpoints: null, finished: []);
        var bar = new ProgressBar("training");
        var clock = new StepClock(p => Show(bar, p, run));
        using (bar)
        {
            run.Train(clock, cancellationToken);
        }

        var after = run.Perplexity();
        Screen.Line(string.Create(CultureInfo.InvariantCulture, $"  perplexity on held-out lines: {after:F1}"));
        return new TuningResult(run.Steps, 0, run.TrainableParameters, [.. run.Losses], PerplexityBefore: double.NaN, after, SampleBefore: "", SampleAfter: "", clock.MedianSeconds, Traffic: default);
    }

    private static void Show(ProgressBar bar, TrainingProgress progress, Experiment run) =>
        bar.Show(progress.GlobalStep, run.Steps, string.Create(CultureInfo.InvariantCulture, $"loss {progress.Loss:F3}"));

    private static void Tell(double perplexity, string label, string sample)
    {
        Screen.Line(string.Create(CultureInfo.InvariantCulture, $"  perplexity on held-out lines: {perplexity:F1}"));
        Screen.Quote(label, sample + "…");
    }
}
