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
    public void An_evaluation_with_another_adapter_and_with_none_leaves_no_trace_in_training()
    {
        var answers = new List<Dictionary<string, double>>();
        using var plain = Make(null, evalMetricFn: null);
        using var watched = Make(null, Evaluate);
        plain.Train(HybridFheMode.Simulate, 2);
        watched.Train(HybridFheMode.Simulate, 2);

        Assert.Equal(plain.Losses, watched.Losses);
        Assert.Equal(plain.Weights(), watched.Weights());
        Assert.Equal(3, answers.Count);
        Assert.Single(answers.Select(values => values["bare"]).Distinct());
        Assert.Single(answers.Select(values => values["second"]).Distinct());
        Assert.Equal(3, answers.Select(values => values["default"]).Distinct().Count());

        Dictionary<string, double> Evaluate(nn.Module module, IEnumerable<Batch> batches)
        {
            var model = watched!.Model;
            var values = new Dictionary<string, double> { ["default"] = Loss(model, batches) };
            using (model.DisableAdapter())
            {
                values["bare"] = Loss(model, batches);
            }

            model.SetAdapter("second");
            values["second"] = Loss(model, batches);
            model.SetAdapter("default");
            answers.Add(values);
            return values;
        }
    }

    private static double Loss(LoraModel model, IEnumerable<Batch> batches)
    {
        using var scope = NewDisposeScope();
        var batch = batches.First();
        return ((nn.Module<Tensor, Tensor>)model.Model).call(batch.Input).square().mean().item<float>();
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
