using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <content>One forward and backward pass.</content>
internal static partial class Probes
{
    private const string Outputs = "with a loss function, a model must return a tensor or a dictionary";

    private static Dictionary<string, Probe> Forward => new()
    {
        ["forward, no loss_fn, labels None (tuple)"] = Probe.Kept(recorded =>
        {
            using var training = new LoraTraining(new DummyLoraModel());
            using Batch batch = (randn(3, 10), null);
            AssertSays(FirstArgument(recorded), Assert.Throws<InvalidOperationException>(() => training.call(batch)));
        }),
        ["forward, no loss_fn, object with loss=None"] = Probe.Kept(recorded =>
        {
            using var training = new LoraTraining(new Returning<ModelOutput>(logits => new ModelOutput { Logits = logits }));
            using var batch = Pair();
            AssertSays(FirstArgument(recorded), Assert.Throws<InvalidOperationException>(() => training.call(batch)));
        }),
        ["forward, loss_fn, dict output without logits"] = Probe.Kept(recorded =>
        {
            using var training = new LoraTraining(new Returning<Dictionary<string, Tensor>>(logits => new() { ["prediction"] = logits }), lossFn: Mse);
            using var batch = Pair();
            Assert.Contains("must return either a Tensor or a", FirstArgument(recorded), StringComparison.Ordinal);
            AssertSays("must return either a Tensor or a ModelOutput whose Logits are set", Assert.Throws<InvalidOperationException>(() => training.call(batch)));
        }),
        ["forward, loss_fn, object output with logits attribute"] = Probe.Mended(Outputs, _ => AssertTrains(new Returning<ModelOutput>(logits => new ModelOutput { Logits = logits }))),
        ["forward, loss_fn, tuple output"] = Probe.Mended(Outputs, _ => AssertTrains(new Returning<(Tensor, Tensor)>(logits => (logits.sum(), logits)))),
        ["forward result and scaling"] = Probe.Kept(recorded =>
        {
            var returns = recorded["returns"];
            using var model = new DummyLoraModel();
            using var training = new LoraTraining(model);
            using var batch = Pair();
            var (loss, second) = training.call(batch);
            using var whole = model.LoraA.grad!.clone();
            model.zero_grad();
            training.SetLossScalingFactor(returns["grad_ratio_scale1_over_scale4"].AsDouble);
            var (again, _) = training.call(batch);
            using var quarter = model.LoraA.grad!.clone();

            Assert.Null(second);
            Assert.Equal(returns["loss_requires_grad"].AsBoolean, loss.requires_grad);
            Assert.Equal(returns["loss_unscaled_same"].AsBoolean, loss.item<float>() == again.item<float>());
            Assert.True(whole.allclose(quarter * returns["grad_ratio_scale1_over_scale4"].AsDouble));
            Assert.All(training.named_parameters().Where(entry => entry.name.Contains("linear2", StringComparison.Ordinal)), entry => Assert.Null(entry.parameter.grad));
            loss.Dispose();
            again.Dispose();
        }),
        ["forward with a loss detached from the graph does not raise"] = Probe.Mended("`loss.requires_grad_(True)` hides a graph that is cut", _ =>
        {
            using var training = new LoraTraining(new DummyLoraModel(), lossFn: (logits, labels) => Mse(logits.detach(), labels));
            using var batch = Pair();
            AssertSays("its graph is cut", Assert.Throws<InvalidOperationException>(() => training.call(batch)));
        }),
        ["CustomLinear semantics"] = Probe.Kept(recorded =>
        {
            var returns = recorded["returns"];
            using var scope = NewDisposeScope();
            var (weight, bias) = (new Parameter(randn(7, 4)), new Parameter(randn(7)));
            var layer = new CustomLinear(weight, bias);
            var (x, gradient) = (randn(3, 4, requires_grad: true), randn(3, 7));
            layer.call(x).backward([gradient]);

            Assert.Equal(returns["x_grad_equals_g@W"].AsBoolean, x.grad!.allclose(gradient.matmul(weight), 0, 1e-6));
            Assert.Null(weight.grad);
            Assert.Null(bias.grad);
            Assert.Equal(returns["state_dict"].AsStrings, layer.state_dict().Keys);
            Assert.Equal(returns["same_weight_object"].AsBoolean, ReferenceEquals(((ForwardModuleLinear)layer.ForwardModule).weight, ((BackwardModuleLinear)layer.BackwardModule).weight));
            Assert.Equal(returns["parameters"].AsInt32, layer.parameters().Count());
            Assert.Equal(returns["y_requires_grad_when_x_does_not"].AsBoolean, layer.call(randn(3, 4)).requires_grad);
        }),
    };

    private static void AssertTrains(nn.Module model)
    {
        using var training = new LoraTraining(model, lossFn: Mse);
        using var batch = Pair();
        training.call(batch).Loss.Dispose();
        Assert.NotNull(model.get_parameter("lora_a")!.grad);
    }

    /// <summary>x·lora_a in the form a test wants; it takes labels and makes nothing of them.</summary>
    private sealed class Returning<TResult> : nn.Module<Tensor, Tensor?, TResult>
    {
        private readonly Parameter _loraA = new(randn(10, 10));
        private readonly Func<Tensor, TResult> _make;

        public Returning(Func<Tensor, TResult> make)
            : base("Returning")
        {
            _make = make;
            register_parameter("lora_a", _loraA);
        }

        public override TResult forward(Tensor x, Tensor? labels = null) => _make(x.matmul(_loraA));
    }
}
