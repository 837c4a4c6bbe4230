using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

public sealed class HybridCompilationTests
{
    [Fact]
    public void Compilation_leaves_no_trace_in_gradients_buffers_or_generator()
    {
        using var scope = NewDisposeScope();
        using var norm = nn.BatchNorm1d(30);
        var layer = nn.Linear(30, 20);
        layer.weight.requires_grad = false;
        var model = nn.Sequential(("norm", norm), ("dropout", nn.Dropout(0.5)), ("layer", layer));
        using var hybrid = new HybridFheModel(model, ["layer"]);
        norm.weight!.grad = HybridData.Normal(1, 30);
        using var gradient = norm.weight.grad!.clone();
        using var generator = random.get_rng_state();
        var buffers = model.buffers().Select(buffer => buffer.clone()).ToList();
        var batch = HybridData.Normal(2, 8, 30);
        using var kept = batch.clone();

        hybrid.CompileModel(() => model.call(batch).sum().backward(), cancellationToken: TestContext.Current.CancellationToken);

        HybridData.AssertSame(gradient, norm.weight.grad!);
        Assert.Null(norm.bias!.grad);
        Assert.Null(layer.bias!.grad);
        Assert.Equal(generator.bytes.ToArray(), random.get_rng_state().bytes.ToArray());
        Assert.All(model.buffers().Zip(buffers), pair => Assert.Equal(pair.Second.bytes.ToArray(), pair.First.bytes.ToArray()));
        HybridData.AssertSame(kept, batch);
        Assert.Equal(HybridFheMode.Torch, hybrid.Mode);
    }

    [Fact]
    public void Gradients_of_tied_weights_survive_compilation()
    {
        using var scope = NewDisposeScope();
        var embedding = nn.Embedding(10, 8);
        var head = nn.Linear(8, 10, hasBias: false);
        head.weight = embedding.weight!;
        var model = nn.Sequential(("embedding", embedding), ("layer", nn.Linear(8, 8)), ("lm_head", head));
        using var hybrid = new HybridFheModel(model, Lora.GetRemoteNames(model));
        Assert.Equal(["layer"], hybrid.ModuleNames);
        var tokens = tensor(new long[] { 1, 2, 3 });
        model.call(tokens).sum().backward();
        using var expected = embedding.weight!.grad!.clone();

        hybrid.CompileModel(() => model.call(tokens).sum().backward(), cancellationToken: TestContext.Current.CancellationToken);

        HybridData.AssertSame(expected, embedding.weight!.grad!);
        HybridData.AssertSame(expected, head.weight.grad!);
    }

    [Fact]
    public void A_calibration_that_fails_leaves_no_trace_either()
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture();
        using var generator = random.get_rng_state();
        var before = hybrid.Output(HybridFheMode.Disable);

        Assert.Throws<TimeoutException>(() => hybrid.Hybrid.CompileModel(() =>
        {
            hybrid.Model.call(hybrid.Input).sum().backward();
            randn(3);
            throw new TimeoutException();
        }, cancellationToken: TestContext.Current.CancellationToken));

        Assert.All(hybrid.Model.Adapters, parameter => Assert.Null(parameter.grad));
        Assert.Equal(generator.bytes.ToArray(), random.get_rng_state().bytes.ToArray());
        HybridData.AssertSame(before, hybrid.Output(HybridFheMode.Disable));
    }

    [Fact]
    public void Compilation_finds_which_layers_need_a_backward_product()
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture();

        Assert.Equal(["fc1", "fc2", "fc3"], hybrid.Hybrid.Layers.Select(layer => layer.Weights.Name));
        Assert.Equal([false, true, true], hybrid.Hybrid.Layers.Select(layer => layer.NeedsBackward));
        Assert.All(hybrid.Hybrid.Layers, layer => Assert.True(layer.NeedsForward && layer.ForwardNorm is null && layer.BackwardNorm is null));
        Assert.Equal((37, 24), (hybrid.Hybrid.Layers[0].Weights.OutFeatures, hybrid.Hybrid.Layers[0].Weights.InFeatures));
        Assert.Equal((19, 37), (hybrid.Hybrid.Layers[1].Weights.OutFeatures, hybrid.Hybrid.Layers[1].Weights.InFeatures));
        Assert.All(hybrid.Hybrid.Layers, layer => Assert.Equal("AdaptedMlp", layer.Weights.ModelId));
    }

    [Theory]
    [InlineData(HybridFheMode.Disable)]
    [InlineData(HybridFheMode.Execute)]
    public void A_product_that_calibration_did_not_need_is_computed_when_it_is_asked_for(HybridFheMode mode)
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture();
        var input = hybrid.Input.clone().requires_grad_();

        hybrid.Hybrid.Forward<Tensor, Tensor>(input, HybridFheMode.Torch).sum().backward();
        var expected = input.grad!.clone();
        input.grad.zero_();
        hybrid.Hybrid.Forward<Tensor, Tensor>(input, mode).sum().backward();

        Assert.InRange(HybridData.RelativeDistance(input.grad, expected), 0, 2e-2);
    }

    [Fact]
    public void A_plain_model_compiles_with_one_forward()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Sequential(("layer", nn.Linear(30, 20)));
        using var hybrid = new HybridFheModel(model, ["layer"]);

        hybrid.CompileModel<Tensor, Tensor>(HybridData.Normal(1, 3, 30), cancellationToken: TestContext.Current.CancellationToken);

        Assert.False(hybrid.Layers[0].NeedsBackward);
        Assert.Equal([3, 20], hybrid.Forward<Tensor, Tensor>(HybridData.Normal(2, 3, 30), HybridFheMode.Execute).shape);
        Assert.Throws<InvalidOperationException>(() => hybrid.Forward<Batch, Tensor>(null!, HybridFheMode.Torch));
    }

    [Fact]
    public void Options_faults_are_reported_together()
    {
        using var hybrid = new HybridFixture(compile: false);

        var exception = Assert.Throws<ArgumentException>(
            () => hybrid.Hybrid.CompileModel(() => { }, new HybridCompileOptions { Bits = 13, ModelId = "" }, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("Bits is 13; 8 to 12 was expected", exception.Message, StringComparison.Ordinal);
        Assert.Contains("ModelId is empty", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Something_else_than_a_layer_can_be_named_but_not_compiled()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Sequential(("layer", nn.Linear(8, 4)), ("norm", nn.LayerNorm(4)));
        using var hybrid = new HybridFheModel(model, ["layer", "norm"]);

        var exception = Assert.Throws<NotSupportedException>(() => hybrid.CompileModel<Tensor, Tensor>(
            ones(2, 8), cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal(
            "Layer 'norm' is a 'LayerNorm'; only linear layers and embeddings can be computed under encryption. Leave it out of the remote names.", exception.Message);
        Assert.Equal([2, 4], hybrid.Forward<Tensor, Tensor>(ones(2, 8), HybridFheMode.Torch).shape);
    }

    [Fact]
    public void Static_quantization_has_one_scale_and_warns_of_longer_rows()
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture(options: new HybridCompileOptions { UseDynamicQuantization = false });
        Assert.All(hybrid.Hybrid.Layers, layer => Assert.True(layer.ForwardNorm > 0));
        Assert.Equal([null, true, true], hybrid.Hybrid.Layers.Select(layer => layer.BackwardNorm is { } norm ? norm > 0 : (bool?)null));
        var largest = hybrid.Input.norm(2, false, 2f).max().item<float>();
        Assert.InRange(hybrid.Hybrid.Layers[0].ForwardNorm!.Value, largest * 0.999999, largest * 1.000001);

        foreach (var mode in new[] { HybridFheMode.Disable, HybridFheMode.Execute })
        {
            Assert.InRange(HybridData.RelativeDistance(hybrid.Output(mode), hybrid.Output(HybridFheMode.Torch)), 0, 2e-2);

            // Behind the first layer, quantization alone may lengthen the longest row by a little.
            Assert.DoesNotContain(hybrid.Logger.Lines, message => message.Contains("'fc1'", StringComparison.Ordinal));

            hybrid.Output(mode, hybrid.Input * 3);

            Assert.Contains(hybrid.Logger.Lines, message => message.StartsWith("Layer 'fc1', Forward: ", StringComparison.Ordinal));
            Assert.All(hybrid.Logger.Kinds, kind => Assert.Equal((LogLevel.Warning, 2000), kind));
            hybrid.Logger.Lines.Clear();
        }
    }

    [Fact]
    public void Progress_names_every_layer_of_every_stage()
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture(compile: false);
        var reports = new List<FheProgress>();

        hybrid.Hybrid.CompileModel(
            () => hybrid.Model.Gradients(hybrid.Input), progress: new Recorder(reports), cancellationToken: TestContext.Current.CancellationToken);
        hybrid.Output(HybridFheMode.Execute);

        Assert.Equal(
            [
                new(FheStage.Quantize, "fc1", 1, 3), new(FheStage.Quantize, "fc2", 2, 3), new(FheStage.Quantize, "fc3", 3, 3),
                new(FheStage.Calibrate, "", 0, 1), new(FheStage.Calibrate, "", 1, 1),
                new(FheStage.Prepare, "fc1", 1, 5), new(FheStage.Prepare, "fc2", 2, 5), new(FheStage.Prepare, "fc2", 3, 5),
                new(FheStage.Prepare, "fc3", 4, 5), new(FheStage.Prepare, "fc3", 5, 5),
            ],
            reports);
    }

    [Fact]
    public void A_canceled_compilation_leaves_the_one_before()
    {
        using var scope = NewDisposeScope();
        using var hybrid = new HybridFixture();
        var before = hybrid.Output(HybridFheMode.Execute);
        using var cancellation = new CancellationTokenSource();
        var progress = new Recorder([], report =>
        {
            if (report is { Stage: FheStage.Quantize, Completed: 2 })
            {
                cancellation.Cancel();
            }
        });

        Assert.ThrowsAny<OperationCanceledException>(() => hybrid.Hybrid.CompileModel(
            () => hybrid.Model.Gradients(hybrid.Input), new HybridCompileOptions { Bits = 10 }, progress, cancellation.Token));

        Assert.Equal(8, hybrid.Hybrid.Layers[0].Weights.Bits);
        HybridData.AssertSame(before, hybrid.Output(HybridFheMode.Execute));
    }

    private sealed class Recorder(List<FheProgress> reports, Action<FheProgress>? then = null) : IProgress<FheProgress>
    {
        public void Report(FheProgress value)
        {
            reports.Add(value);
            then?.Invoke(value);
        }
    }
}
