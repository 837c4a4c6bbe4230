using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>Fine-tuning runs of PyTorch and peft, made again with <see cref="LoraTrainer"/>: SGD and AdamW, clipping, schedules, accumulation under each loss
/// scaling with a short last window.</summary>
public sealed class TrajectoryTests
{
    [Theory]
    [Recorded("trajectories", "steps", "!int8")]
    public void Every_recorded_run_is_repeated(string name)
    {
        using var recorded = new RecordedTrajectory(name);
        using var run = new TrajectoryRun(recorded);

        TrajectoryComparison.AssertStart(recorded, run);
        run.Train();

        TrajectoryComparison.Assert(recorded, run);
        AssertStatistics(recorded, run);
    }

    [Theory]
    [Recorded("trajectories", "steps_float64")]
    public void Every_recorded_run_is_repeated_to_nine_digits_in_double_precision(string name)
    {
        using var recorded = new RecordedTrajectory(name);
        using var run = new TrajectoryRun(recorded, new RunOptions { Type = ScalarType.Float64, Dequantized = recorded.Expected.Has("int8") });

        run.Train();

        TrajectoryComparison.AssertDouble(recorded, run);
    }

    // Every batch is logged, so that each has an entry: its window's.
    private static void AssertStatistics(RecordedTrajectory recorded, TrajectoryRun run)
    {
        var last = -1;
        foreach (var step in run.Steps)
        {
            last += step.MicroLosses.Count;
            var norm = Math.Sqrt(run.Trainer.GradientStats.Values.Sum(norms => norms[last] * norms[last]));
            Assert.Equal(step.Update.GradientNorm, norm, recorded.Tolerances.OfNorm(norm));
        }

        Assert.Equal(run.Steps.SelectMany(step => step.MicroLosses), run.Trainer.TrainingLosses);
        Assert.All(run.Trainer.GradientStats.Values, norms => Assert.Equal(last + 1, norms.Count));
    }
}
