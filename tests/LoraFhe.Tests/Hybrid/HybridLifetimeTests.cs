using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>What a hybrid model is after its compilation failed, was repeated, or it was disposed of.</summary>
public sealed class HybridLifetimeTests
{
    [Fact]
    public void An_exception_of_the_progress_reaches_the_caller_and_nothing_is_compiled()
    {
        using var scope = NewDisposeScope();
        foreach (var stage in new[] { FheStage.Quantize, FheStage.Calibrate })
        {
            using var hybrid = new HybridFixture(compile: false);

            Assert.Throws<TimeoutException>(() => hybrid.Hybrid.CompileModel(
                () => hybrid.Model.Gradients(hybrid.Input), progress: new ThrowingProgress(stage), cancellationToken: TestContext.Current.CancellationToken));

            Assert.False(hybrid.Hybrid.IsCompiled);
            Assert.Throws<InvalidOperationException>(() => hybrid.Output(HybridFheMode.Execute));
            hybrid.Output(HybridFheMode.Torch);
        }
    }

    [Fact]
    public void Compiled_again_a_model_computes_with_the_new_bits()
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture();
        var exact = hybrid.Output(HybridFheMode.Torch);
        var coarse = HybridData.RelativeDistance(hybrid.Output(HybridFheMode.Execute), exact);

        hybrid.Hybrid.CompileModel(
            () => hybrid.Model.Gradients(hybrid.Input), new HybridCompileOptions { Bits = 12 }, cancellationToken: TestContext.Current.CancellationToken);

        Assert.All(hybrid.Hybrid.Layers, layer => Assert.Equal(12, layer.Weights.Bits));
        Assert.InRange(HybridData.RelativeDistance(hybrid.Output(HybridFheMode.Execute), exact), 0, coarse / 4);
    }

    [Fact]
    public void A_calibration_batch_that_the_model_returns_stays_the_callers()
    {
        using var scope = NewDisposeScope();
        using var model = new Unchanging();
        using var hybrid = new HybridFheModel(model, ["layer"]);
        var batch = HybridData.Normal(1, 3, 16);

        hybrid.CompileModel<Tensor, Tensor>(batch, cancellationToken: TestContext.Current.CancellationToken);

        Assert.False(batch.IsInvalid);
        Assert.Same(batch, hybrid.Forward<Tensor, Tensor>(batch, HybridFheMode.Execute));
        Assert.Equal(3, batch.shape[0]);
    }

    [Fact]
    public void Disposed_of_it_leaves_a_model_that_computes_in_clear()
    {
        using var scope = NewDisposeScope();
        var hybrid = new HybridFixture();
        var expected = hybrid.Output(HybridFheMode.Torch);
        hybrid.Output(HybridFheMode.Disable);
        hybrid.Hybrid.Dispose();
        hybrid.Hybrid.Dispose();

        HybridData.AssertSame(expected, hybrid.Model.call(hybrid.Input));
        Assert.False(hybrid.Hybrid.IsCompiled);
        Assert.Throws<ObjectDisposedException>(() => hybrid.Output(HybridFheMode.Torch));
        Assert.Throws<ObjectDisposedException>(() => hybrid.Hybrid.CompileModel(() => { }, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Throws<ObjectDisposedException>(() => hybrid.Hybrid.SaveAndClearPrivateInfo("nowhere"));
        hybrid.Dispose();
    }

    private sealed class ThrowingProgress(FheStage stage) : IProgress<FheProgress>
    {
        public void Report(FheProgress value)
        {
            if (value.Stage == stage)
            {
                throw new TimeoutException();
            }
        }
    }

    /// <summary>Computes its layer, and returns its input all the same.</summary>
    private sealed class Unchanging : nn.Module<Tensor, Tensor>
    {
        [ComponentName(Name = "layer")]
        private readonly nn.Module<Tensor, Tensor> _layer = nn.Linear(16, 16);

        public Unchanging()
            : base(nameof(Unchanging)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            _layer.call(input);
            return input;
        }
    }
}
