using System.Text.Json;
using LoraFhe.Fixtures;
using LoraFhe.Tests;
using TorchSharp.Modules;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>What every run records alike, whatever its arithmetic: updates, checkpoints, the two sides' files.</summary>
internal static class RunRecords
{
    /// <summary>When there was an update, and at which rate.</summary>
    public static void AssertUpdates(Replay replay)
    {
        var run = replay.Recorded.Run;
        Assert.Equal(run["optimizer_stepped_after_n_batches"].AsInt32s, replay.Updates);
        Assert.Equal(run["lr_used_at_each_optimizer_step"].AsDoubles.Length, replay.Rates.Count);
        Assert.All(run["lr_used_at_each_optimizer_step"].AsDoubles.Zip(replay.Rates), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
        Assert.Equal(run["lr_after_training"].AsDouble, replay.RateAfter, 1e-12);
        Assert.Equal(run["model_training_flag_after"].AsBoolean, replay.Recorded.Model.training);
    }

    /// <summary>Files, and what a new trainer finds in each.</summary>
    /// <param name="replay">The run, run here.</param>
    /// <param name="assertLosses">Compares recorded losses with those found.</param>
    public static void AssertCheckpoints(Replay replay, Action<IEnumerable<double>, IEnumerable<double>> assertLosses)
    {
        var run = replay.Recorded.Run;
        Assert.Equal(
            run["checkpoint_dir"].AsStrings.Select(file => Path.ChangeExtension(file, ".safetensors")),
            Directory.GetFiles(replay.Folder.At("ckpt")).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        foreach (var (file, recorded) in run["checkpoints"].Members)
        {
            using var fresh = new RecordedRun($"{replay.Recorded.ModelName}/{replay.Recorded.Name}");
            using var folder = new TemporaryFolder();
            using var trainer = fresh.Trainer(folder.Path, new RecordingLogger());
            var (epoch, step) = trainer.LoadCheckpoint(replay.Folder.At("ckpt", Path.ChangeExtension(file, ".safetensors")));

            Assert.Equal((recorded["epoch"].AsInt32, recorded["global_step"].AsInt32), (epoch, step));
            AssertModel(recorded["model_state_dict"], trainer, replay.Folder.At("ckpt", Path.ChangeExtension(file, ".safetensors")));
            AssertOptimizer(recorded["optimizer_state_dict"], (OptimizerHelper)fresh.Optimizer);
            AssertSchedule(recorded["lr_scheduler_state_dict"], fresh.Optimizer.ParamGroups.Single());
            assertLosses(StrayGradients.ClipIn(run) ? StrayGradients.Losses(run).Take(step) : recorded["training_losses"].AsDoubles, trainer.GetTrainingLosses());
            AssertNorms(recorded, replay, trainer);
        }
    }

    /// <summary>What clearing wrote: to the client what the reference leaves in its public file, to the server what it takes out of it.</summary>
    public static void AssertDeployment(Replay replay)
    {
        var recorded = replay.Recorded.Run["save_and_clear"];
        var (client, server) = (Keys(replay.Folder.At("dep", "client")), Keys(replay.Folder.At("dep", "server")));
        Assert.Empty(recorded["model_keys"].AsStrings.Except(client));
        Assert.Empty(client.Intersect(server));
        Assert.All(replay.Trainer.HybridModel.RemoteModules, module => Assert.Null(module.PrivateModule));

        // A layer's two halves are one matrix; a bias, which the client adds, is the client's.
        var layers = recorded["complete_model_keys"].AsStrings.Except(recorded["model_keys"].AsStrings).Where(key => key.EndsWith(".weight", StringComparison.Ordinal))
            .Select(LayerOf).Distinct().ToList();
        Assert.All(layers, layer => Assert.Contains(server, key => key.Contains(layer, StringComparison.Ordinal)));
    }

    // Of the last checkpoint shapes were recorded too.
    private static void AssertModel(GoldenJson recorded, LoraTrainer trainer, string path)
    {
        var hasShapes = recorded.Element.ValueKind == JsonValueKind.Object;
        var names = hasShapes ? [.. recorded.Members.Select(entry => entry.Name)] : recorded.AsStrings;
        var state = trainer.LoraTrainingModule.InferenceModel.state_dict();
        Assert.Equal(names.Order(StringComparer.Ordinal), state.Keys.Order(StringComparer.Ordinal));

        // Frozen weights are not saved again with every epoch.
        var saved = CheckpointFile.Read(path).Model;
        Assert.Equal(names.Where(name => name.Contains(".lora_", StringComparison.Ordinal)).Order(StringComparer.Ordinal), saved.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        foreach (var (name, tensor) in hasShapes ? recorded.Members : [])
        {
            // The reference turns a skipped Conv1D into a Linear.
            var shape = tensor["tensor"].AsInt64s;
            var turned = trainer.LoraTrainingModule.InferenceModel.named_modules().Any(entry => entry.module is Conv1D && name == entry.name + ".weight");
            Assert.Equal(turned ? [.. shape.Reverse()] : shape, state[name].shape);
            Assert.Equal("torch." + state[name].dtype.ToString().ToLowerInvariant(), tensor["dtype"].AsString);
        }
    }

    private static void AssertOptimizer(GoldenJson recorded, OptimizerHelper optimizer)
    {
        var (state, group) = (optimizer.state_dict(), recorded["param_groups"][0]);
        Assert.Equal(group["params"].AsInt32s.Length, state.State.Count);
        Assert.Equal(recorded["state"].Members.Count(), state.State.Count);
        foreach (var (index, expected) in recorded["state"].Members)
        {
            var found = Assert.IsType<AdamW.State>(state.State[int.Parse(index, System.Globalization.CultureInfo.InvariantCulture)]);
            Assert.Equal(expected["step"]["value"].AsDouble, found.step);
            Assert.Equal(expected["exp_avg"]["tensor"].AsInt64s, found.exp_avg.shape);
            Assert.Equal(expected["exp_avg_sq"]["tensor"].AsInt64s, found.exp_avg_sq.shape);
        }

        var options = Assert.IsType<AdamW.Options>(state.Options.Single());
        Assert.Equal((group["betas"][0].AsDouble, group["betas"][1].AsDouble), (options.beta1!.Value, options.beta2!.Value));
        Assert.Equal(group["eps"].AsDouble, options.eps);
        Assert.Equal(group["weight_decay"].AsDouble, options.weight_decay);
        Assert.Equal(group["amsgrad"].AsBoolean, options.amsgrad);
        Assert.Equal(group["maximize"].AsBoolean, options.maximize);
        Assert.Equal(group["lr"].AsDouble, options.LearningRate!.Value, 1e-12);
        Assert.Equal(group["initial_lr"].AsDouble, options.InitialLearningRate, 1e-12);
    }

    private static void AssertSchedule(GoldenJson recorded, TorchSharp.torch.optim.ILearningRateController group)
    {
        Assert.Equal(recorded["base_lrs"].AsDoubles.Single(), group.InitialLearningRate);
        Assert.Equal(recorded["_last_lr"].AsDoubles.Single(), group.LearningRate, 1e-12);
    }

    // What these numbers are, the run's own tests compare; only the last checkpoint's were recorded.
    private static void AssertNorms(GoldenJson recorded, Replay replay, LoraTrainer trainer)
    {
        foreach (var (parameter, norms) in recorded.Has("gradient_stats") ? recorded["gradient_stats"].Members : [])
        {
            if (!StrayGradients.Is(parameter))
            {
                Assert.Equal(replay.Trainer.GetGradientStats()[parameter].Take(norms.AsDoubles.Length), trainer.GetGradientStats()[parameter]);
            }
        }
    }

    private static List<string> Keys(string folder) => [.. Directory.GetFiles(folder, "*.safetensors").SelectMany(path =>
    {
        using var file = Safetensors.SafetensorsFile.Open(path);
        return file.Entries.Select(entry => entry.Name).ToList();
    })];

    private static string LayerOf(string key) =>
        key["inference_model.base_model.model.".Length..].Split(".base_layer.")[0];
}
