using LoraFhe.Cryptography;
using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>What fails while training reaches the caller; the process lives, and the last checkpoint is whole.</summary>
public sealed class FaultTests
{
    [Fact]
    public void An_exception_of_the_users_loss_reaches_the_caller_and_leaves_the_last_checkpoint_whole()
    {
        var calls = 0;
        AssertSurvives(folder => new SmallRun(folder, lossFn: (logits, labels) => ++calls == 10
            ? throw new InvalidOperationException("mine")
            : nn.functional.cross_entropy(logits, labels)));
    }

    [Fact]
    public void An_exception_of_the_evaluation_reaches_the_caller_and_leaves_the_model_in_train_mode()
    {
        AssertSurvives(folder => new SmallRun(
            folder, evalMetricFn: (_, _) => throw new InvalidOperationException("mine"), evalSteps: 9));
    }

    [Fact]
    public void An_exception_of_a_backward_product_reaches_the_caller()
    {
        AssertSurvives(folder => new SmallRun(folder, backend: new FailingBackend(LayerDirection.Backward, after: 18)), HybridFheMode.Execute);
    }

    [Fact]
    public void An_exception_of_a_forward_product_reaches_the_caller()
    {
        AssertSurvives(folder => new SmallRun(folder, backend: new FailingBackend(LayerDirection.Forward, after: 30)), HybridFheMode.Execute);
    }

    [Fact]
    public void After_a_failure_the_trainer_goes_on_from_the_last_update()
    {
        var calls = 0;
        using var run = new SmallRun(dropout: 0, lossFn: (logits, labels) => ++calls == 10
            ? throw new InvalidOperationException("mine")
            : nn.functional.cross_entropy(logits, labels));
        Assert.Throws<InvalidOperationException>(() => run.Train(HybridFheMode.Torch, 2));
        Assert.Equal(9, run.Losses.Count);
        run.Train(HybridFheMode.Torch, 2);
        using var whole = new SmallRun(dropout: 0);
        whole.Train(HybridFheMode.Torch, 2);
        Assert.Equal(whole.Losses, run.Losses);
        Assert.Equal(whole.Weights(), run.Weights());
    }

    [Fact]
    public void A_loss_whose_graph_is_cut_is_an_error()
    {
        using var run = new SmallRun(lossFn: (logits, labels) => nn.functional.cross_entropy(logits.detach(), labels));
        var error = Assert.Throws<InvalidOperationException>(() => run.Train(HybridFheMode.Torch, 1));
        Assert.Contains("graph is cut", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_that_no_adapter_reaches_is_an_error()
    {
        using var elsewhere = ones(1, requires_grad: true);
        using var run = new SmallRun(lossFn: (logits, _) => logits.detach().sum() + elsewhere.sum());
        var error = Assert.Throws<InvalidOperationException>(() => run.Train(HybridFheMode.Torch, 1));
        Assert.Contains("does not depend on the adapters", error.Message, StringComparison.Ordinal);
    }

    private static void AssertSurvives(Func<string, SmallRun> make, HybridFheMode mode = HybridFheMode.Torch)
    {
        using var folder = new TemporaryFolder();
        using (var run = make(folder.Path))
        {
            Assert.Equal("mine", Assert.Throws<InvalidOperationException>(() => run.Train(mode, 3)).Message);
            Assert.True(run.Model.training);
            Assert.Equal(["checkpoint_epoch_1.safetensors"], folder.Names());
        }

        using var resumed = new SmallRun(folder.Path);
        Assert.Equal((1, 7), resumed.Trainer.LoadCheckpoint(folder.At("checkpoint_epoch_1.safetensors")));
        resumed.Trainer.Train(resumed.Loader, 2, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
        Assert.Equal(14, resumed.Losses.Count);
    }

    /// <summary>Answers zeros until it fails.</summary>
    private sealed class FailingBackend(LayerDirection direction, int after) : IFheBackend
    {
        private int _calls;

        public string Name => "failing";

        public FheTraffic Traffic => default;

        public void Prepare(IReadOnlyList<FheLayer> layers, IProgress<FheProgress>? progress, CancellationToken cancellationToken)
        {
        }

        public void Multiply(LayerId layer, ReadOnlySpan<float> rows, int tokens, Span<float> destination)
        {
            if (layer.Direction == direction && ++_calls > after)
            {
                throw new InvalidOperationException("mine");
            }

            destination.Clear();
        }

        public void Dispose()
        {
        }
    }
}
