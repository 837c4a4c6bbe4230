using LoraFhe.Fixtures;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>Recorded runs that were taken up again after step 10.</summary>
public sealed class ResumeTests
{
    [Theory]
    [Recorded("trajectories", "resume")]
    public void A_run_taken_up_from_its_checkpoint_is_the_unbroken_one_to_the_bit(string name)
    {
        using var folder = new TemporaryFolder();
        using var recorded = new RecordedTrajectory(name);
        var options = new RunOptions { CheckpointDir = folder.Path };
        using var unbroken = new TrajectoryRun(recorded).Train();
        using (var first = new TrajectoryRun(recorded, options).Train(stopAfter: After(recorded)))
        {
            AssertState(recorded, first);
        }

        using var second = new TrajectoryRun(recorded, options);
        Spoil(second);
        second.Trainer.LoadCheckpoint(folder.At(folder.Names().Single()));
        second.Train();

        Assert.True(recorded.Expected["resume"]["resumed_run_is_bit_identical"].AsBoolean);
        Assert.Equal(unbroken.Trainer.TrainingLosses, second.Trainer.TrainingLosses);
        Assert.Equal(unbroken.Steps.Skip(After(recorded)).Select(step => step.Update), second.Steps.Select(step => step.Update));
        foreach (var (parameter, value) in unbroken.Parameters[^1])
        {
            Assert.Equal(value.bytes.ToArray(), second.Parameters[^1][parameter].bytes.ToArray());
        }

        Assert.Equal(OptimizerTensors.Bytes(unbroken.Optimizer), OptimizerTensors.Bytes(second.Optimizer));
    }

    [Theory]
    [Recorded("trajectories", "resume")]
    public void A_run_goes_on_from_PyTorchs_own_state_as_PyTorch_did(string name)
    {
        using var recorded = new RecordedTrajectory(name);
        using var run = new TrajectoryRun(recorded);
        TakeUp(recorded, run);

        AssertState(recorded, run);
        run.Train(first: After(recorded));

        TrajectoryComparison.Assert(recorded, run, After(recorded));
    }

    private static int After(RecordedTrajectory recorded) => recorded.Expected["resume"]["after_step"].AsInt32;

    // What is right afterwards came from the checkpoint.
    private static void Spoil(TrajectoryRun run)
    {
        using var noGradient = no_grad();
        foreach (var parameter in run.Model.TrainableParameters())
        {
            parameter.fill_(0.25);
        }
    }

    private static void TakeUp(RecordedTrajectory recorded, TrajectoryRun run)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var names = run.Adapters().Keys.ToList();
        var adapters = Tensors(recorded, $"step{After(recorded)}", "params");
        foreach (var (adapter, parameter) in names.Zip(run.Model.TrainableParameters()))
        {
            parameter.copy_(adapters[adapter]);
        }

        OptimizerTensors.Set(run.Optimizer, (field, i) => Tensors(recorded, field, "state10")[names[i]].to(float32));
        for (var i = 0; i < After(recorded); i++)
        {
            run.Schedule?.step();
        }
    }

    private static void AssertState(RecordedTrajectory recorded, TrajectoryRun run)
    {
        using var scope = NewDisposeScope();
        var comparison = new Comparison(recorded.Name);
        foreach (var (name, state) in run.Adapters().Keys.Zip(OptimizerTensors.Of(run.Optimizer)))
        {
            foreach (var (field, value) in state)
            {
                comparison.Tensor($"{field} {name}", Tensors(recorded, field, "state10")[name], value, recorded.Tolerances.Parameters);
            }
        }

        AssertOptions(comparison, recorded.Expected["resume"]["optimizer_param_groups"].Items.Single(), run.Optimizer);
        var schedule = recorded.Expected["resume"]["scheduler_state"];
        var group = run.Optimizer.ParamGroups.Single();
        comparison.Number("base_lrs", schedule["base_lrs"].AsDoubles.Single(), group.InitialLearningRate, 0);
        comparison.Number("_last_lr", schedule["_last_lr"].AsDoubles.Single(), group.LearningRate, Tolerances.RatePart);
        comparison.Number("last_epoch", schedule["last_epoch"].AsInt32, After(recorded), 0);
        comparison.AssertEqual();
    }

    private static void AssertOptions(Comparison comparison, GoldenJson recorded, optim.Optimizer optimizer)
    {
        var group = optimizer.ParamGroups.Single();
        comparison.Number("lr", recorded["lr"].AsDouble, group.LearningRate, Tolerances.RatePart);
        comparison.Number("initial_lr", recorded["initial_lr"].AsDouble, group.InitialLearningRate, 0);
        if (((OptimizerHelper)optimizer).state_dict().Options.Single() is AdamW.Options adam)
        {
            Assert.Equal([adam.beta1!.Value, adam.beta2!.Value], recorded["betas"].AsDoubles);
            Assert.Equal((adam.eps, adam.weight_decay), (recorded["eps"].AsDouble, recorded["weight_decay"].AsDouble));
            Assert.Equal((adam.amsgrad, adam.maximize), (recorded["amsgrad"].AsBoolean, recorded["maximize"].AsBoolean));
        }
        else
        {
            var sgd = (SGD.Options)((OptimizerHelper)optimizer).state_dict().Options.Single();
            Assert.Equal((sgd.momentum, sgd.dampening), (recorded["momentum"].AsDouble, recorded["dampening"].AsDouble));
            Assert.Equal(sgd.weight_decay, recorded["weight_decay"].AsDouble);
            Assert.Equal((sgd.nesterov, sgd.maximize), (recorded["nesterov"].AsBoolean, recorded["maximize"].AsBoolean));
        }
    }

    private static Dictionary<string, Tensor> Tensors(RecordedTrajectory recorded, string prefix, string file) =>
        recorded.Parameters(prefix, file).ToDictionary(entry => entry.Name, entry => tensor(entry.Values.Values, entry.Values.Shape), StringComparer.Ordinal);
}
