using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>A trainer trains the adapter it was made for; others may answer in between.</summary>
public sealed class AdapterSwitchTests
{
    [Fact]
    public void Another_adapter_is_neither_trained_nor_saved_by_a_trainer_that_was_not_made_for_it()
    {
        using var folder = new TemporaryFolder();
        using var run = Make(folder.Path, evalMetricFn: null);
        run.Model.SetAdapter("second");

        var error = Assert.Throws<InvalidOperationException>(() => run.Train(HybridFheMode.Torch, 1));
        Assert.StartsWith("'inference_model.base_model.model.fc1.lora_A.second.weight' asks for a gradient", error.Message, StringComparison.Ordinal);
        Assert.Equal(error.Message, Assert.Throws<InvalidOperationException>(() => run.Trainer.SaveCheckpoint(0, 0)).Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));

        run.Model.SetAdapter("default");
        run.Train(HybridFheMode.Torch, 1);
        Assert.Equal(7, run.Losses.Count);
    }

    [Fact]
    public void A_checkpoint_without_the_adapters_values_is_not_written()
    {
        using var folder = new TemporaryFolder();
        using var run = Make(folder.Path, (_, _) => new Dictionary<string, double>());
        run.Train(HybridFheMode.Torch, 1);
        foreach (var hide in new Action[] { run.Model.DisableAdapters, () => run.Model.SetAdapter("second", inferenceMode: true) })
        {
            hide();
            var error = Assert.Throws<InvalidOperationException>(() => run.Trainer.SaveCheckpoint(2, 14));
            Assert.StartsWith("No checkpoint was written: nothing of the adapter asks for a gradient now", error.Message, StringComparison.Ordinal);
            run.Model.EnableAdapters();
        }

        Assert.Equal(["checkpoint_epoch_1.safetensors"], folder.Names());
        run.Model.SetAdapter("default");
        run.Trainer.SaveCheckpoint(2, 14);
        Assert.Equal(["checkpoint_epoch_1.safetensors", "checkpoint_epoch_2.safetensors"], folder.Names());
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("disabled")]
    [InlineData("another")]
    public void An_evaluation_with_another_adapter_or_with_none_leaves_no_trace_in_training(string what)
    {
        var answers = new List<(double Own, double Other)>();
        LoraModel? model = null;
        var (losses, weights) = Train(null);

        var (watchedLosses, watchedWeights) = Train(Evaluate);

        Assert.Equal(losses, watchedLosses);
        Assert.Equal(weights, watchedWeights);
        Assert.Equal(3, answers.Select(values => values.Own).Distinct().Count());
        Assert.Equal(what == "nothing" ? 3 : 1, answers.Select(values => values.Other).Distinct().Count());

        (IReadOnlyList<double> Losses, float[] Weights) Train(Func<nn.Module, IEnumerable<Batch>, IReadOnlyDictionary<string, double>>? evaluate)
        {
            using var run = Make(null, evaluate);
            model = run.Model;
            run.Train(HybridFheMode.Torch, 2);
            return (run.Losses, run.Weights());
        }

        Dictionary<string, double> Evaluate(nn.Module module, IEnumerable<Batch> batches)
        {
            var adapted = model!;
            var own = Loss(adapted, batches);
            using (what == "disabled" ? adapted.DisableAdapter() : null)
            {
                if (what == "another")
                {
                    adapted.SetAdapter("second");
                }

                answers.Add((own, Loss(adapted, batches)));
            }

            adapted.SetAdapter("default");
            return new Dictionary<string, double> { ["own"] = own };
        }
    }

    private static double Loss(LoraModel model, IEnumerable<Batch> batches)
    {
        using var scope = NewDisposeScope();
        var batch = batches.First();
        return ((nn.Module<Tensor, Tensor>)model.Model).call(batch.Input!).square().mean().item<float>();
    }

    private static SmallRun Make(
        string? folder, Func<nn.Module, IEnumerable<Batch>, IReadOnlyDictionary<string, double>>? evalMetricFn) => new(
        folder,
        evalMetricFn: evalMetricFn,
        optimizer: model =>
        {
            model.AddAdapter("second", new LoraConfig { R = 3, TargetModules = ["fc1", "fc3"], InitLoraWeights = InitLoraWeights.Random }, seed: 9);
            return optim.AdamW(model.TrainableParameters(), 0.02);
        });
}
