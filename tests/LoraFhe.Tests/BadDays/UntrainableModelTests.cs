using LoraFhe.Fixtures;
using LoraFhe.Tests.Training;
using static TorchSharp.torch;

namespace LoraFhe.Tests.BadDays;

/// <summary>Models in a state in which training would change nothing that is computed: each is refused, with the way out, and left as it was.</summary>
public sealed class UntrainableModelTests
{
    private static readonly LoraConfig Config = new() { R = 1, TargetModules = ["fc2"] };

    [Fact]
    public void Merged_or_disabled_adapters_are_refused_before_the_model_is_changed()
    {
        using var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), Config);
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        model.MergeAdapter();
        Assert.Equal("Adapter 'default' is merged. Call UnmergeAdapter before training.", Refused<InvalidOperationException>(model, optimizer));
        model.UnmergeAdapter();
        model.DisableAdapters();
        Assert.Equal("The model's adapters are disabled. Call EnableAdapters before training.", Refused<InvalidOperationException>(model, optimizer));
        model.EnableAdapters();
        using var trainer = Make(model, optimizer);
        trainer.Train([new Batch(ones(2, 6), ones(2, 3))], 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
    }

    [Fact]
    public void An_adapter_that_was_loaded_frozen_is_refused_with_the_option_that_helps()
    {
        using var folder = new TemporaryFolder();
        using (var saved = LoraModel.Apply(new Mlp([6, 12, 10, 3]), Config))
        {
            saved.SavePretrained(folder.Path);
        }

        using var model = LoraModel.FromPretrained(new Mlp([6, 12, 10, 3]), folder.Path);
        using var optimizer = optim.SGD(model.parameters(), 0.1);
        Assert.Contains("Load the adapter with isTrainable true, or unfreeze it with SetAdapter", Refused<ArgumentException>(model, optimizer), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_another_trainer_has_or_had_is_refused()
    {
        using var run = new SmallRun();
        const string Says = "'LoraModel' is another trainer's already: 'fc1' is remote. "
            + "Go on with that trainer, or save the adapter with SavePretrained and load it on the model as it was.";
        Assert.Equal(Says, Refused<InvalidOperationException>(run.Model, run.Optimizer));
        run.Trainer.Dispose();
        Assert.Equal(Says, Refused<InvalidOperationException>(run.Model, run.Optimizer));
    }

    [Fact]
    public void A_model_that_was_disposed_of_is_named()
    {
        const string Says = "The parameters of 'LoraModel' were disposed of";
        using var run = new SmallRun();
        var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), Config);
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        model.Dispose();
        Assert.StartsWith(Says, Refused<ArgumentException>(model, optimizer), StringComparison.Ordinal);

        run.Model.Dispose();
        Assert.StartsWith(Says, Assert.Throws<InvalidOperationException>(() => run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token)).Message, StringComparison.Ordinal);
        Assert.StartsWith(Says, Assert.Throws<InvalidOperationException>(
            () => run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_was_unloaded_writes_no_empty_adapter_over_a_good_one()
    {
        using var folder = new TemporaryFolder();
        var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), Config);
        model.SavePretrained(folder.Path);
        var saved = File.ReadAllBytes(folder.At("adapter_model.safetensors"));
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        using var bare = model.MergeAndUnload();
        Action[] refused = [() => model.SavePretrained(folder.Path), () => model.SetAdapter("default"), () => model.MergeAdapter(), () => Make(model, optimizer)];
        foreach (var act in refused)
        {
            Assert.StartsWith("The model was unloaded", Assert.Throws<InvalidOperationException>(act).Message, StringComparison.Ordinal);
        }

        Assert.Equal(saved, File.ReadAllBytes(folder.At("adapter_model.safetensors")));
    }

    private static string Refused<T>(LoraModel model, optim.Optimizer optimizer) where T : Exception
    {
        var names = Names(model);
        var message = Assert.Throws<T>(() => Make(model, optimizer)).Message;
        Assert.Equal(names, Names(model));
        return message;
    }

    private static LoraTrainer Make(LoraModel model, optim.Optimizer optimizer) =>
        new(model, optimizer, (logits, labels) => nn.functional.mse_loss(logits, labels), logger: new RecordingLogger());

    private static List<string> Names(nn.Module model) => [.. model.named_modules().Select(entry => entry.name)];
}
