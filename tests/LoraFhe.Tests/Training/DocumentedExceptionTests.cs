using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>Exceptions that the documentation of a trainer's members names.</summary>
public sealed class DocumentedExceptionTests
{
    [Fact]
    public void An_optimizer_that_needs_a_closure_is_refused_and_with_checkpoints_for_its_state()
    {
        using var folder = new TemporaryFolder();
        static optim.Optimizer Lbfgs(LoraModel model) => optim.LBFGS(model.TrainableParameters());

        var state = Assert.Throws<NotSupportedException>(() => new SmallRun(folder.Path, optimizer: Lbfgs));
        var closure = Assert.Throws<ArgumentException>("optimizer", () => new SmallRun(optimizer: Lbfgs));

        Assert.StartsWith("Optimizer 'LBFGS' cannot save its state", state.Message, StringComparison.Ordinal);
        Assert.StartsWith("Optimizer 'LBFGS' computes the loss again by a closure", closure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_that_cannot_be_written_is_an_IOException()
    {
        using var folder = new TemporaryFolder();
        using var run = new SmallRun(folder.At("checkpoints"));
        Directory.Delete(folder.At("checkpoints"));
        Assert.ThrowsAny<IOException>(() => run.Trainer.SaveCheckpoint(1, 7));
        Assert.Throws<ArgumentOutOfRangeException>("epoch", () => run.Trainer.SaveCheckpoint(-1, 7));
        Assert.Throws<ArgumentOutOfRangeException>("globalStep", () => run.Trainer.SaveCheckpoint(1, -7));
    }

    [Fact]
    public void No_checkpoint_is_loaded_into_a_run_under_way()
    {
        using var folder = new TemporaryFolder();
        using var run = new SmallRun(folder.Path);
        var path = run.Trainer.SaveCheckpoint(0, 0);
        var refused = 0;
        var load = new ImmediateProgress<TrainingProgress>(_ =>
        {
            Assert.Throws<InvalidOperationException>(() => run.Trainer.LoadCheckpoint(path));
            refused++;
        });
        run.Trainer.Train([run.Inputset], 1, HybridFheMode.Torch, progress: load, cancellationToken: Cancellation.Token);
        Assert.Equal(1, refused);
    }

    [Fact]
    public void Compile_names_the_newest_checkpoint_if_it_is_damaged_and_loads_nothing()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("checkpoint_epoch_3.safetensors"), "not one");
        using var run = new SmallRun(folder.Path);
        var weights = run.Weights();

        var error = Assert.Throws<InvalidDataException>(() => run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token));

        Assert.Contains("checkpoint_epoch_3.safetensors", error.Message, StringComparison.Ordinal);
        Assert.Equal(weights, run.Weights());
        Assert.False(run.Trainer.HybridModel.IsCompiled);
    }

    [Fact]
    public void A_calibration_batch_that_does_not_fit_is_an_ArgumentException()
    {
        using var run = new SmallRun();
        using var wide = new Batch(randn(4, 7), run.Inputset.Labels);
        using var unlabeled = new Batch(randn(4, 6), null);
        Assert.Throws<ArgumentException>(() => run.Trainer.Compile(wide, cancellationToken: Cancellation.Token));
        var error = Assert.Throws<ArgumentException>(() => run.Trainer.Compile(unlabeled, cancellationToken: Cancellation.Token));
        Assert.StartsWith("The batch has no tensor named 'labels'.", error.Message, StringComparison.Ordinal);
        Assert.All(run.Model.parameters(), parameter => Assert.Null(parameter.grad));
    }

    [Fact]
    public void Batches_that_do_not_fit_are_ArgumentExceptions_in_every_mode()
    {
        foreach (var mode in Enum.GetValues<HybridFheMode>())
        {
            using var run = new SmallRun();
            run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
            using var wide = new Batch(randn(4, 7), run.Inputset.Labels);
            Assert.Throws<ArgumentException>(() => run.Trainer.Train([wide], 1, mode, cancellationToken: Cancellation.Token));
        }
    }

    [Fact]
    public void Metrics_of_a_model_without_logits_are_an_InvalidOperationException()
    {
        using var run = new SmallRun();
        using var model = new Silent();
        Assert.Throws<InvalidOperationException>(() => Metrics.Accuracy(model, [run.Inputset]));
        Assert.Throws<InvalidOperationException>(() => Metrics.Perplexity(model, [run.Inputset]));
    }

    [Fact]
    public void A_log_file_gets_its_folder()
    {
        using var folder = new TemporaryFolder();
        (Lora.SetupLogger(folder.At("new/training.log")) as IDisposable)!.Dispose();
        Assert.True(Directory.Exists(folder.At("new")));
    }

    private sealed class Silent() : nn.Module<Tensor, ModelOutput>(nameof(Silent))
    {
        public override ModelOutput forward(Tensor x) => new();
    }
}
