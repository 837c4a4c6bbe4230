using System.Text.RegularExpressions;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>The reference's runs in its compiled modes: names, order of calls, records and logs are the same; numbers are near.</summary>
/// <remarks>Its circuits of layers under 512 columns are static and calibrated on one small batch: gradients through them are up to half off. Losses are bounded loosely.</remarks>
public sealed partial class CompiledRunTests(Replays replays) : IClassFixture<Replays>
{
    // Losses are about 6 in language models, 2 in the perceptron and 1 on wide layers, whose arithmetic is of the kind used here.
    private static readonly Dictionary<string, double> LossTolerance = new() { ["gpt2"] = 0.1, ["llama"] = 0.1, ["mlp"] = 0.02, ["glwe"] = 3e-3 };

    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "config.fhe!=torch", "!error")]
    public void Compiling_finds_no_checkpoint(string name)
    {
        Assert.Equal([0, 0], replays[name].Recorded.Run["compile_returns"].AsInt32s);
        Assert.Equal((0, 0), replays[name].Compiled);
    }

    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "config.fhe!=torch", "!error")]
    public void Remote_names_are_the_recorded_ones(string name) =>
        Assert.Equal(replays[name].Recorded.Run["remote_names"].AsStrings, replays[name].Trainer.RemoteNames);

    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "config.fhe!=torch", "!error")]
    public void The_first_batch_calls_remote_modules_in_the_recorded_order(string name) =>
        Assert.Equal(RemoteCalls.Recorded(replays[name].Recorded.Run), replays[name].FirstCalls);

    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "config.fhe!=torch", "!error")]
    public void The_first_batch_leaves_gradients_where_it_was_recorded(string name) => Assert.Equal(
        replays[name].Recorded.Run["params_with_grad_after_first_batch"].AsStrings.Where(parameter => !StrayGradients.Is(parameter)).Order(StringComparer.Ordinal),
        replays[name].FirstGradients.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "config.fhe!=torch", "!error")]
    public void Losses_are_near_the_recorded_ones(string name)
    {
        var (replay, losses) = (replays[name], replays[name].Recorded.Run["training_losses"].AsDoubles);
        Assert.Equal(losses.Length, replay.Trainer.GetTrainingLosses().Count);
        Assert.All(losses.Zip(replay.Trainer.GetTrainingLosses()), pair => Assert.Equal(pair.First, pair.Second, LossTolerance[replay.Recorded.ModelName]));
    }

    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "config.fhe!=torch", "!error")]
    public void Norms_are_kept_of_the_recorded_parameters_at_the_recorded_steps(string name)
    {
        var (recorded, kept) = (StrayGradients.Norms(replays[name].Recorded.Run).ToList(), replays[name].Trainer.GetGradientStats());
        Assert.Equal(recorded.Select(entry => entry.Name).Order(StringComparer.Ordinal), kept.Keys.Order(StringComparer.Ordinal));
        Assert.All(recorded, entry => Assert.Equal(entry.Norms.Length, kept[entry.Name].Count));
    }

    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "config.fhe!=torch", "!error")]
    public void Updates_come_after_the_recorded_batches_at_the_recorded_rates(string name) => RunRecords.AssertUpdates(replays[name]);

    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "config.fhe!=torch", "!error")]
    public void Evaluations_come_as_recorded_and_are_near(string name)
    {
        var (recorded, found) = (replays[name].Recorded.Run["evals"].Items.ToList(), replays[name].Recorded.Evaluations);
        Assert.Equal(recorded.Select(entry => entry["training_flag_inside_metric"].AsBoolean), found.Select(entry => entry.Training));
        Assert.Equal(recorded.Select(entry => entry["n_batches"].AsDouble), found.Select(entry => (double)entry.Batches));
        Assert.All(recorded.Zip(found), pair => Assert.Equal(pair.First["eval_loss"].AsDouble, pair.Second.Loss, LossTolerance[replays[name].Recorded.ModelName]));
    }

    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "config.fhe!=torch", "config.checkpoint=True")]
    public void Checkpoints_hold_what_was_recorded(string name) => RunRecords.AssertCheckpoints(replays[name], (recorded, found) =>
    {
        Assert.Equal(recorded.Count(), found.Count());
        Assert.All(recorded.Zip(found), pair => Assert.Equal(pair.First, pair.Second, LossTolerance[replays[name].Recorded.ModelName]));
    });

    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "save_and_clear")]
    public void Clearing_gives_each_side_what_is_its(string name) => RunRecords.AssertDeployment(replays[name]);

    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "config.fhe!=torch", "!error")]
    public void The_log_file_has_the_recorded_lines(string name)
    {
        // A row that static quantization scales down is told of by a warning, which the reference has not.
        var written = RecordedLog.Messages(string.Join('\n', replays[name].Log.Where(line => line.Contains(" - INFO - ", StringComparison.Ordinal))));
        Assert.Equal(RecordedLog.Expected(replays[name].Recorded.Run, replays[name].Folder.Path).Select(WithoutNumbers), written.Select(WithoutNumbers));
    }

    private static string WithoutNumbers(string line) =>
        line.Contains('/', StringComparison.Ordinal) ? line : Number().Replace(line.Replace(RecordedLog.AnyNumber, "0.0", StringComparison.Ordinal), "#");

    [GeneratedRegex(@"\d+\.\d+")]
    private static partial Regex Number();
}
