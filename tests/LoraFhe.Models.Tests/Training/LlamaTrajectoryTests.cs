using LoraFhe.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>Ordinary PyTorch runs of a Llama whose batches have unlike numbers of target tokens: accumulation under each loss scaling.</summary>
[Collection(RunsAlone.Name)]
public sealed class LlamaTrajectoryTests
{
    [Theory]
    [InlineData("llama-accum4-full", LossScaling.Full)]
    [InlineData("llama-accum4-window", LossScaling.Window)]
    [InlineData("llama-accum4-tokens", LossScaling.Tokens)]
    public void Losses_gradient_norms_and_weights_are_the_recorded_ones(string name, LossScaling scaling)
    {
        using var golden = Golden.Open("trajectories/" + name);
        var expected = golden.Expected;
        using var model = Model(golden, expected);
        using var optimizer = optim.SGD(model.TrainableParameters(), expected["optimizer"]["lr"].AsDouble);
        var window = expected["gradient_accumulation"].AsInt32;
        using var trainer = new LoraTrainer(
            model, optimizer, trainingArgs: new TrainingArguments { GradientAccumulationSteps = window, LossScaling = scaling },
            loggingSteps: window, logger: NullLogger.Instance);
        var batches = Batches(expected);
        trainer.Train(batches, 1, HybridFheMode.Torch, cancellationToken: TestContext.Current.CancellationToken);

        var steps = expected["steps"].Items.ToList();
        var losses = steps.SelectMany(step => step["micro_losses_mean"].AsDoubles).ToList();
        Assert.Equal(losses.Count, trainer.GetTrainingLosses().Count);
        Assert.All(losses.Zip(trainer.GetTrainingLosses()), pair => Assert.Equal(pair.First, pair.Second, expected["tolerance_abs"]["loss"].AsDouble));
        var stats = trainer.GetGradientStats().Values.ToList();
        for (var i = 0; i < batches.Count / window; i++)
        {
            var norm = Math.Sqrt(stats.Sum(norms => norms[i] * norms[i]));
            Assert.Equal(steps[i]["grad_norm"].AsDouble, norm, steps[i]["grad_norm"].AsDouble * 1e-4);
        }

        foreach (var (parameterName, parameter) in model.named_parameters().Where(entry => entry.parameter.requires_grad))
        {
            using var final = Stored(golden, $"step{steps.Count}", parameterName);
            Assert.True(parameter.allclose(final, 0, expected["tolerance_abs"]["params"].AsDouble), parameterName);
        }
    }

    private static LoraModel Model(Golden golden, GoldenJson expected)
    {
        var config = expected["lora_config"];
        var model = LoraModel.Apply(LlamaForCausalLM.FromPretrained(RepositoryFolder.Fixture(expected["base"].AsString.Split('/'))), new LoraConfig
        {
            R = config["r"].AsInt32,
            LoraAlpha = config["lora_alpha"].AsInt32,
            TargetModules = config["target_modules"].AsStrings,
            TaskType = TaskType.CausalLm,
        });
        using var noGrad = no_grad();
        foreach (var (name, parameter) in model.named_parameters().Where(entry => entry.parameter.requires_grad))
        {
            using var initial = Stored(golden, "step0", name);
            parameter.copy_(initial);
        }

        return model;
    }

    private static Tensor Stored(Golden golden, string step, string parameter)
    {
        var stored = golden.Singles("params", $"{step}.{parameter.Replace(".default", "", StringComparison.Ordinal)}");
        return tensor(stored.Values, stored.Shape);
    }

    private static List<Batch> Batches(GoldenJson expected)
    {
        using var data = Safetensors.SafetensorsFile.Open(RepositoryFolder.Fixture(expected["data_file"].AsString.Split('/')));
        return [.. Enumerable.Range(0, expected["num_micro_batches"].AsInt32).Select(i => new Batch(
            new[] { "input_ids", "attention_mask", "labels" }.Where(key => data.Contains($"micro{i}.{key}")).Select(key => KeyValuePair.Create(
                key, tensor(data.ReadInt64s($"micro{i}.{key}"), [.. data.Entry($"micro{i}.{key}").Shape])))))];
    }
}
