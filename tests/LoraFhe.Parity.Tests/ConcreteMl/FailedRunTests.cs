namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>Runs that the reference cannot finish: it compiles no backward half that was never called, and simulates no model of wide layers. Here they train.</summary>
public sealed class FailedRunTests(Replays replays) : IClassFixture<Replays>
{
    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "error")]
    public void It_trains_in_the_mode_that_was_asked_for(string name)
    {
        var (run, replay) = (replays[name].Recorded.Run, replays[name]);
        Assert.Equal((0, 0), replay.Compiled);
        Assert.Equal(run["remote_names"].AsStrings, replay.Trainer.RemoteNames);
        Assert.Equal(run["config"]["n_train_batches"].AsInt32, replay.Trainer.GetTrainingLosses().Count);
        Assert.Equal(replay.Recorded.Mode, replay.Trainer.HybridModel.Mode);
    }

    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "error")]
    public void Its_losses_are_near_those_of_torch(string name)
    {
        var torch = replays.Clear(name).Trainer.GetTrainingLosses();
        Assert.All(torch.Zip(replays[name].Trainer.GetTrainingLosses()), pair => Assert.Equal(pair.First, pair.Second, 0.01 * pair.First));
    }

    // More layers skipped than need be is no other training.
    [Theory]
    [InlineData("mlp/disable_skip0_error", "mlp/disable_skip1_ce_sgd")]
    [InlineData("llama/disable_skip1_error", "llama/disable_skip3_sgd")]
    public void Its_losses_are_those_of_the_run_that_the_reference_can_compile(string name, string other)
    {
        var losses = replays[other].Trainer.GetTrainingLosses();
        Assert.Equal(losses, replays[name].Trainer.GetTrainingLosses().Take(losses.Count));
    }

    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "error")]
    public void Its_log_goes_on_where_the_recorded_one_ends(string name)
    {
        var recorded = RecordedLog.Messages(replays[name].Recorded.Run["training_log"].AsString).ToList();
        var written = RecordedLog.Messages(string.Join('\n', replays[name].Log)).ToList();
        Assert.Equal(recorded, written.Take(recorded.Count));
        Assert.Equal("Compilation complete.", written[1]);
        Assert.StartsWith("Training completed.", written[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mlp/disable_skip0_error", "torch.cat(): expected a non-empty list of Tensors")]
    [InlineData("llama/disable_skip1_error", "torch.cat(): expected a non-empty list of Tensors")]
    [InlineData("glwe/simulate_skip1_error", "fhe=simulate is not supported for now.")]
    public void The_reference_said(string name, string error)
    {
        using var recorded = new RecordedRun(name);
        Assert.EndsWith(error, recorded.Run["error"]["message"].AsString, StringComparison.Ordinal);
    }
}
