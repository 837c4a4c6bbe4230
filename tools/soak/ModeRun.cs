using LoraFhe.Samples.FineTuneText;
using static TorchSharp.torch;

namespace LoraFhe.Tools.Soak;

/// <summary>Repeats a recorded fine-tuning in one mode, with what was evaluated before and after it.</summary>
internal static class ModeRun
{
    /// <param name="recorded">The fine-tuning.</param>
    /// <param name="mode">How its frozen layers are computed here.</param>
    /// <param name="steps">The first steps of it.</param>
    /// <param name="hints">The folder that keeps what the encryption needs of each layer, for the modes that follow.</param>
    /// <param name="progress">Told what is under way.</param>
    /// <param name="cancellationToken">Stops after the step in hand.</param>
    public static ModeResult Of(RecordedRun recorded, HybridFheMode mode, int steps, string hints, Action<string> progress, CancellationToken cancellationToken)
    {
        using var backend = new InProcessFheBackend(new InProcessFheOptions { HintFolder = hints });
        using var run = new RepeatedRun(recorded, mode, backend);
        progress("preparing");
        var begun = TimeProvider.System.GetTimestamp();
        run.Compile(progress: null, cancellationToken);
        var prepared = TimeProvider.System.GetElapsedTime(begun);
        progress("evaluating");
        var before = run.Perplexity();
        var textsBefore = Equal(run, recorded.Before.Texts, cancellationToken);
        var clock = new StepClock(step => progress($"step {step.GlobalStep} of {steps}, loss {step.Loss:F4}, recorded {recorded.Losses[step.GlobalStep - 1]:F4}"));
        var used = Environment.CpuUsage.TotalTime;
        run.Train(steps, clock, cancellationToken);
        used = Environment.CpuUsage.TotalTime - used;
        progress("evaluating");
        return new ModeResult
        {
            Mode = mode,
            Losses = [.. run.Losses],
            FirstGradientNorm = run.FirstGradientNorm,
            PerplexityBefore = before,
            PerplexityAfter = run.Perplexity(),
            EqualTextsBefore = textsBefore,
            EqualTextsAfter = Equal(run, recorded.After.Texts, cancellationToken),
            PrepareSeconds = prepared.TotalSeconds,
            StepSeconds = clock.MedianSeconds,
            StepProcessorSeconds = used.TotalSeconds / steps,
            Processor = Processor.Name,
            Kernel = InProcessFheBackend.KernelName,
            Threads = get_num_threads(),
        };
    }

    private static int Equal(RepeatedRun run, IReadOnlyList<RecordedText> texts, CancellationToken cancellationToken) =>
        run.Continue(texts, cancellationToken).Zip(texts).Count(pair => pair.First.SequenceEqual(pair.Second.Ids));
}
