using LoraFhe.Fixtures;
using LoraFhe.Tools.Soak;

namespace LoraFhe.Parity.Tests.RealModels;

/// <summary>What must hold of a repeated fine-tuning.</summary>
internal static class FineTuning
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Losses, gradient norm, perplexities and greedy texts of the whole run are the recorded ones.</summary>
    public static void AssertTorchRepeats(RecordedRun recorded, double lossTolerance, double perplexityTolerance)
    {
        using var run = new RepeatedRun(recorded, HybridFheMode.Torch);
        AssertEvaluation(recorded, recorded.Before, run, perplexityTolerance, "before");

        run.Train(recorded.Losses.Count, progress: null, Cancellation);

        Assert.Equal(recorded.Losses.Count, run.Losses.Count);
        Assert.All(
            recorded.Losses.Zip(run.Losses, (expected, actual) => (expected, actual)),
            (pair, step) => Close.Within(lossTolerance, pair.expected, pair.actual, $"loss of step {step + 1}"));
        Close.Within(2e-5 * recorded.FirstGradientNorm, recorded.FirstGradientNorm, run.FirstGradientNorm, "gradient norm of the first step");
        AssertEvaluation(recorded, recorded.After, run, perplexityTolerance, "after");
    }

    /// <summary>Over the first steps execute's losses are at most twice as far from torch's as disable's are, in the mean.</summary>
    /// <remarks>The recorded losses stand for torch mode's, which are held to them a hundred times closer.</remarks>
    public static void AssertExecuteIsAsCloseAsDisable(RecordedRun recorded, int steps)
    {
        using var hints = new TemporaryFolder();
        var disable = Losses(recorded, HybridFheMode.Disable, steps, hints.Path);
        var execute = Losses(recorded, HybridFheMode.Execute, steps, hints.Path);

        var (near, far) = (MeanDistance(disable, recorded.Losses), MeanDistance(execute, recorded.Losses));
        TestContext.Current.TestOutputHelper?.WriteLine($"mean distance from torch's losses: disable {near:g4}, execute {far:g4}; of each other: {MeanDistance(execute, disable):g4}");
        Assert.Equal((steps, steps), (disable.Count, execute.Count));
        Assert.True(near > 0, "Disable computes what torch does: nothing was quantized.");
        Assert.True(MeanDistance(execute, disable) > 0, "Execute computes what disable does: nothing was encrypted.");
        Assert.True(far <= 2 * near, $"execute is {far:g4} from torch, disable {near:g4}");
    }

    private static List<double> Losses(RecordedRun recorded, HybridFheMode mode, int steps, string hints)
    {
        using var backend = new InProcessFheBackend(new InProcessFheOptions { HintFolder = hints });
        using var run = new RepeatedRun(recorded, mode, backend);
        run.Compile(progress: null, Cancellation);
        run.Train(steps, progress: null, Cancellation);
        return [.. run.Losses];
    }

    private static void AssertEvaluation(RecordedRun recorded, RecordedEvaluation expected, RepeatedRun run, double tolerance, string when)
    {
        var perplexity = run.Perplexity();
        Assert.Equal(expected.Tokens, recorded.HeldOut().Sum(window => window.Labels!.numel() - 1));
        Close.Within(tolerance, expected.Perplexity, perplexity, $"perplexity {when}");
        Close.Within(tolerance * expected.Tokens / expected.Perplexity, expected.LossSum, Math.Log(perplexity) * expected.Tokens, $"sum of losses {when}");
        Assert.All(
            expected.Texts.Zip(run.Continue(expected.Texts, Cancellation), (text, ids) => (text, ids)),
            pair => Assert.Equal(pair.text.Ids, pair.ids));
    }

    private static double MeanDistance(IReadOnlyList<double> losses, IReadOnlyList<double> others) =>
        losses.Zip(others, (one, other) => Math.Abs(one - other)).Average();
}
