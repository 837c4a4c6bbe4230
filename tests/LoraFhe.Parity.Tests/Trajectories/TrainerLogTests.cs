using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>Runs of transformers' own Trainer: its log, which divides by the tokens of a window, is ours with the count it takes for the model's class, and with the other
/// count it is not.</summary>
public sealed class TrainerLogTests
{
    [Theory]
    [Recorded("trajectories", "trainer_log")]
    public void What_Trainer_logged_is_what_training_tells(string name)
    {
        using var recorded = new RecordedTrajectory(name);
        using var run = new TrajectoryRun(recorded);

        AssertOptimizer(recorded, run);
        run.Train();

        // The loop beside it first: its numbers are the finer ones.
        TrajectoryComparison.Assert(recorded, run);
        AssertLog(recorded, run);
        AssertMicroSteps(recorded, run);
    }

    [Theory]
    [Recorded("trajectories", "trainer_log")]
    public void With_the_other_count_of_tokens_it_is_as_far_off_as_recorded(string name)
    {
        using var recorded = new RecordedTrajectory(name);
        using var run = new TrajectoryRun(recorded, new RunOptions
        {
            Scaling = recorded.Scaling == LossScaling.Tokens ? LossScaling.TokensUnshifted : LossScaling.Tokens,
        });

        run.Train();

        var expected = recorded.Expected["max_abs_diff_trainer_vs_manual_with_the_other_count"];
        var (tolerances, comparison) = (recorded.Tolerances, new Comparison(name));
        var log = recorded.Expected["trainer_log"].Items.ToList();
        var norm = log.Zip(run.Steps).Max(pair => Math.Abs(pair.First["grad_norm"].AsDouble - pair.Second.Update.GradientNorm));
        comparison.Number("loss", expected["loss"].AsDouble, log.Zip(run.Steps).Max(pair => Math.Abs(pair.First["loss"].AsDouble - pair.Second.Update.Loss)), tolerances.Loss);
        comparison.Number("grad_norm", expected["grad_norm"].AsDouble, norm, tolerances.OfNorm(log.Max(step => step["grad_norm"].AsDouble)));
        comparison.Number("lr_used", expected["lr_used"].AsDouble, log.Zip(run.Steps).Max(pair => Math.Abs(pair.First["learning_rate"].AsDouble - pair.Second.Update.LearningRate)), Tolerances.RatePart);
        comparison.Number("final_params", expected["final_params"].AsDouble, LargestDistance(recorded, run, $"step{recorded.Steps.Count}"), tolerances.Parameters);
        comparison.AssertEqual();
        Assert.True(expected["loss"].AsDouble > 1000 * tolerances.Loss);
    }

    private static void AssertOptimizer(RecordedTrajectory recorded, TrajectoryRun run)
    {
        Assert.Equal(recorded.Expected["optimizer_class"].AsString, run.Optimizer.GetType().Name);

        // Trainer's second group, what gets no weight decay, is empty for every adapter.
        var groups = recorded.Expected["num_optimizer_groups"];
        Assert.Equal(groups[0]["n"].AsInt32, run.Optimizer.parameters().Count());
        Assert.Equal(groups[0]["weight_decay"].AsDouble, recorded.Expected["optimizer"].Has("weight_decay") ? recorded.Expected["optimizer"]["weight_decay"].AsDouble : 0);
        Assert.Equal(0, groups[1]["n"].AsInt32);
    }

    private static void AssertLog(RecordedTrajectory recorded, TrajectoryRun run)
    {
        var (tolerances, comparison) = (recorded.Tolerances, new Comparison(recorded.Name));
        comparison.Number("steps to make", recorded.Expected["num_steps"].AsInt32, run.Steps.Count, 0);
        comparison.Number("steps logged", recorded.Expected["trainer_log"].Items.Count(), run.Steps.Count, 0);
        foreach (var (step, made) in recorded.Expected["trainer_log"].Items.Zip(run.Steps))
        {
            var what = $"Trainer's step {step["step"].AsInt32}";
            comparison.Number(what + " loss", step["loss"].AsDouble, made.Update.Loss, tolerances.Loss);
            comparison.Number(what + " grad_norm", step["grad_norm"].AsDouble, made.Update.GradientNorm, tolerances.OfNorm(step["grad_norm"].AsDouble));
            comparison.Number(what + " learning_rate", step["learning_rate"].AsDouble, made.Update.LearningRate, Tolerances.RatePart);
        }

        var output = recorded.Expected["train_output"];
        comparison.Number("train_loss", output["train_loss"].AsDouble, run.Steps.Average(step => step.Update.Loss), tolerances.Loss);
        comparison.Number("steps", output["step"].AsInt32, run.Steps.Count, 0);
        comparison.Number("largest change of a parameter", recorded.Expected["max_abs_param_change"].AsDouble, LargestDistance(recorded, run, "step0"), tolerances.Parameters);
        comparison.AssertEqual();
    }

    // What a micro batch adds to its window's loss: its summed token losses over the window's tokens.
    private static void AssertMicroSteps(RecordedTrajectory recorded, TrajectoryRun run)
    {
        var comparison = new Comparison(recorded.Name);
        var losses = recorded.Expected["trainer_micro_step_losses"].AsDoubles;
        var tokens = recorded.Expected["trainer_num_items_in_batch"].AsInt32s;
        var micro = run.Steps.SelectMany(step => step.MicroLosses).Zip(run.Batches).Select((pair, i) => pair.First * Targets(pair.Second.Labels!) / tokens[i]).ToList();
        Assert.Equal(losses.Length, micro.Count);
        foreach (var (i, (expected, actual)) in losses.Zip(micro).Index())
        {
            comparison.Number($"Trainer's micro step {i}", expected, actual, recorded.Tolerances.Loss);
        }

        comparison.AssertEqual();
    }

    private static long Targets(Tensor labels)
    {
        using var scope = NewDisposeScope();
        return labels.narrow(1, 1, labels.shape[1] - 1).ne(-100).sum().item<long>();
    }

    private static double LargestDistance(RecordedTrajectory recorded, TrajectoryRun run, string step)
    {
        using var scope = NewDisposeScope();
        return recorded.Parameters(step, "params").Max(entry =>
            (tensor(entry.Values.Values, entry.Values.Shape) - run.Parameters[^1][entry.Name]).abs().max().item<double>());
    }
}
