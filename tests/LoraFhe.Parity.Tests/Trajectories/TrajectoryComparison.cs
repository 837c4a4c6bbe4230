using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>Holds a run to what was recorded of it.</summary>
internal static class TrajectoryComparison
{
    /// <summary>What is trained, and how it begins.</summary>
    public static void AssertStart(RecordedTrajectory recorded, TrajectoryRun run)
    {
        using var scope = NewDisposeScope();
        var adapters = run.Adapters();
        Xunit.Assert.Equal(recorded.Expected["trainable_names"].AsStrings, adapters.Keys);
        Xunit.Assert.Equal(recorded.ParameterNames, adapters.Keys.Order(StringComparer.Ordinal));
        var isZero = adapters.Where(entry => entry.Key.Contains("lora_B", StringComparison.Ordinal)).All(entry => entry.Value.eq(0).all().item<bool>());
        Xunit.Assert.Equal(recorded.Expected["lora_B_initially_zero"].AsBoolean, isZero);
        Xunit.Assert.Equal(recorded.Expected["num_steps"].AsInt32, recorded.Steps.Count);
    }

    /// <summary>Compares every number of the single precision run: losses, norms, rates, windows and stored parameters.</summary>
    /// <param name="recorded">The case.</param>
    /// <param name="run">The run.</param>
    /// <param name="first">How many recorded steps came before the run's first.</param>
    public static void Assert(RecordedTrajectory recorded, TrajectoryRun run, int first = 0)
    {
        var comparison = new Comparison(recorded.Name);
        var expected = recorded.Steps;
        comparison.Number("steps", expected.Count - first, run.Steps.Count, 0);
        var batches = new Queue<Batch>(run.Batches.Skip(expected.Take(first).Sum(WindowOf)));
        foreach (var (step, made) in expected.Skip(first).Zip(run.Steps))
        {
            Step(comparison, recorded.Tolerances, step, made);
            Counts(comparison, recorded.Scaling, step, [.. Enumerable.Range(0, WindowOf(step)).Select(_ => batches.Dequeue().Labels!)]);
        }

        StoredParameters(comparison, recorded, run, "params", recorded.Tolerances.Parameters, first);
        comparison.AssertEqual();
    }

    /// <summary>Compares what was recorded of the double precision run.</summary>
    public static void AssertDouble(RecordedTrajectory recorded, TrajectoryRun run)
    {
        var comparison = new Comparison(recorded.Name);
        var expected = recorded.Expected["steps_float64"].Items.ToList();
        comparison.Number("steps", expected.Count, run.Steps.Count, 0);
        foreach (var (step, made) in expected.Zip(run.Steps))
        {
            Update(comparison, Tolerances.Double, step, made.Update);
        }

        if (!recorded.Expected["params_f64_file"].IsNull)
        {
            StoredParameters(comparison, recorded, run, "params_f64", Tolerances.Double.Parameters, first: 0);
        }

        comparison.AssertEqual();
    }

    private static void Step(Comparison comparison, Tolerances tolerances, GoldenJson expected, RunStep made)
    {
        var what = Update(comparison, tolerances, expected, made.Update);
        comparison.Number(what + " lr", expected["lr"].AsDouble, made.Update.LearningRate, Tolerances.RatePart * expected["lr"].AsDouble);
        comparison.Number(what + " lr_after", expected["lr_after"].AsDouble, made.RateAfter, Tolerances.RatePart * expected["lr_after"].AsDouble);
        if (expected.Has("grad_norm_after_clip") && made.ClippedNorm is { } clipped)
        {
            var norm = expected["grad_norm_after_clip"].AsDouble;
            comparison.Number(what + " grad_norm_after_clip", norm, clipped, tolerances.OfNorm(norm));
        }

        comparison.Number(what + " window", WindowOf(expected), made.MicroLosses.Count, 0);
        if (expected.Has("micro_losses_mean"))
        {
            foreach (var (i, (loss, ours)) in expected["micro_losses_mean"].AsDoubles.Zip(made.MicroLosses).Index())
            {
                comparison.Number($"{what} micro loss {i}", loss, ours, tolerances.Loss);
            }
        }
    }

    // What the window's losses are divided by where tokens are counted.
    private static void Counts(Comparison comparison, LossScaling scaling, GoldenJson expected, Tensor[] labels)
    {
        var what = $"step {expected["step"].AsInt32}";
        if (expected.Has("micro_target_tokens"))
        {
            foreach (var (i, (count, micro)) in expected["micro_target_tokens"].AsInt32s.Zip(labels).Index())
            {
                comparison.Number($"{what} micro target tokens {i}", count, TargetTokens.Count(micro, shifted: true), 0);
            }
        }

        if (expected.Has("denominator"))
        {
            var counted = labels.Sum(micro => TargetTokens.Count(micro, shifted: scaling == LossScaling.Tokens));
            comparison.Number(what + " denominator", expected["denominator"].AsInt32, counted, 0);
        }
    }

    // A run without accumulation has windows of one, and does not say so.
    private static int WindowOf(GoldenJson step) => step.Has("window") ? step["window"].AsInt32 : 1;

    private static string Update(Comparison comparison, Tolerances tolerances, GoldenJson expected, TrainingUpdate made)
    {
        var what = $"step {expected["step"].AsInt32}";
        comparison.Number(what + " loss", expected["loss"].AsDouble, made.Loss, tolerances.Loss);
        var norm = expected["grad_norm"].AsDouble;
        comparison.Number(what + " grad_norm", norm, made.GradientNorm, tolerances.OfNorm(norm));
        return what;
    }

    private static void StoredParameters(
        Comparison comparison, RecordedTrajectory recorded, TrajectoryRun run, string file, double tolerance, int first)
    {
        using var scope = NewDisposeScope();
        foreach (var step in recorded.StoredSteps(file).Where(step => step > first))
        {
            foreach (var (name, values) in recorded.Parameters($"step{step}", file))
            {
                comparison.Tensor($"step {step} {name}", tensor(values.Values, values.Shape), run.Parameters[step - first - 1][name], tolerance);
            }
        }
    }
}
