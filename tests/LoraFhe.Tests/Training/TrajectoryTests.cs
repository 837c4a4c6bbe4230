using LoraFhe.Fixtures;
using static TorchSharp.torch;
using static TorchSharp.torch.optim.lr_scheduler;

namespace LoraFhe.Tests.Training;

/// <summary>Ordinary PyTorch runs: accumulation under each loss scaling with a short last window, clipping, a schedule.</summary>
public sealed class TrajectoryTests
{
    [Theory]
    [InlineData("mlp-accum4-full", LossScaling.Full)]
    [InlineData("mlp-accum4-window", LossScaling.Window)]
    [InlineData("mlp-accum4-tokens", LossScaling.Tokens)]
    [InlineData("mlp-accum4-tokens", LossScaling.TokensUnshifted)]
    [InlineData("mlp-sgd-clip", LossScaling.Window)]
    [InlineData("mlp-adamw-cosine", LossScaling.Window)]
    [InlineData("mlp-resume", LossScaling.Window)]
    public void Losses_gradient_norms_rates_and_weights_are_the_recorded_ones(string name, LossScaling scaling)
    {
        using var golden = Golden.Open("trajectories/" + name);
        var expected = golden.Expected;
        using var model = Model(golden, expected);
        using var optimizer = Optimizer(model, expected["optimizer"]);
        var schedule = Schedule(optimizer, expected["schedule"]);
        var window = expected["gradient_accumulation"].AsInt32;
        using var trainer = new LoraTrainer(
            model, optimizer, (logits, labels) => nn.functional.cross_entropy(logits, labels), schedule,
            new TrainingArguments
            {
                GradientAccumulationSteps = window,
                MaxGradNorm = expected["max_grad_norm"].IsNull ? null : expected["max_grad_norm"].AsDouble,
                LossScaling = scaling,
            },
            loggingSteps: window, logger: new RecordingLogger());
        var batches = Batches(golden, expected);
        trainer.Train(batches, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);

        var steps = expected["steps"].Items.ToList();
        var losses = steps.SelectMany(step => step.Has("micro_losses_mean") ? step["micro_losses_mean"].AsDoubles : [step["loss"].AsDouble]).ToList();
        Assert.Equal(losses.Count, trainer.GetTrainingLosses().Count);
        Assert.All(losses.Zip(trainer.GetTrainingLosses()), pair => Assert.Equal(pair.First, pair.Second, expected["tolerance_abs"]["loss"].AsDouble));
        AssertNorms(trainer, steps, batches.Count / window);
        using var scope = NewDisposeScope();
        foreach (var (parameterName, parameter) in model.named_parameters().Where(entry => entry.parameter.requires_grad))
        {
            var tensorName = $"step{steps.Count}.{parameterName.Replace(".default", "", StringComparison.Ordinal)}";
            var final = tensor(golden.Singles("params", tensorName).Values, golden.Singles("params", tensorName).Shape);
            Assert.True(parameter.allclose(final, 0, 1e-5), parameterName);
        }
    }

    // Norms are kept where a step is logged, so at full windows.
    private static void AssertNorms(LoraTrainer trainer, List<GoldenJson> steps, int fullWindows)
    {
        var stats = trainer.GetGradientStats().Values.ToList();
        for (var i = 0; i < fullWindows; i++)
        {
            var norm = Math.Sqrt(stats.Sum(norms => norms[i] * norms[i]));
            Assert.Equal(steps[i]["grad_norm"].AsDouble, norm, 1e-4);
        }
    }

    private static LoraModel Model(Golden golden, GoldenJson expected)
    {
        var config = expected["lora_config"];
        var model = LoraModel.Apply(new Mlp([16, 32, 32, 5], t => t.tanh()), new LoraConfig
        {
            R = config["r"].AsInt32,
            LoraAlpha = config["lora_alpha"].AsInt32,
            TargetModules = config["target_modules"].AsStrings,
        });
        using var weights = Golden.Open("trajectories/mlp-base");
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, parameter) in model.named_parameters())
        {
            var values = parameter.requires_grad
                ? golden.Singles("params", "step0." + name.Replace(".default", "", StringComparison.Ordinal))
                : weights.Singles("model", name.Replace("base_model.model.", "", StringComparison.Ordinal).Replace(".base_layer", "", StringComparison.Ordinal));
            parameter.copy_(tensor(values.Values, values.Shape));
        }

        return model;
    }

    private static optim.Optimizer Optimizer(LoraModel model, GoldenJson options) => options["name"].AsString == "sgd"
        ? optim.SGD(model.TrainableParameters(), options["lr"].AsDouble)
        : optim.AdamW(
            model.TrainableParameters(), options["lr"].AsDouble, options["betas"][0].AsDouble, options["betas"][1].AsDouble,
            options["eps"].AsDouble, options["weight_decay"].AsDouble);

    private static LRScheduler? Schedule(optim.Optimizer optimizer, GoldenJson options)
    {
        if (options.IsNull)
        {
            return null;
        }

        var (warmup, total) = (options["warmup"].AsInt32, options["total"].AsInt32);
        return options["name"].AsString == "cosine"
            ? Schedules.CosineWithWarmup(optimizer, warmup, total)
            : Schedules.LinearWithWarmup(optimizer, warmup, total);
    }

    private static List<Batch> Batches(Golden golden, GoldenJson expected)
    {
        using var data = Safetensors.SafetensorsFile.Open(RepositoryFolder.Fixture(expected["data_file"].AsString.Split('/')));
        return [.. Enumerable.Range(0, expected["num_micro_batches"].AsInt32).Select(i => new Batch(
            tensor(data.ReadSingles($"micro{i}.x"), [.. data.Entry($"micro{i}.x").Shape]), tensor(data.ReadInt64s($"micro{i}.y"))))];
    }
}
