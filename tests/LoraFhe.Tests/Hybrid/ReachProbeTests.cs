using Microsoft.Extensions.Logging;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>A layer that computes without its replacement is found at the first batch, before anything is learned.</summary>
public sealed class ReachProbeTests
{
    private static readonly LoraConfig Config = new() { R = 2, TargetModules = TargetModules.AllLinear };

    [Fact]
    public void Typed_fields_used_by_forward_or_by_their_weight_are_all_named_before_a_step()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new Bypassing(), Config, seed: 1);
        var before = State(model);
        using var optimizer = optim.SGD(model.TrainableParameters(), 1);
        using var trainer = new LoraTrainer(model, optimizer, Loss, logger: new RecordingLogger());
        using var batch = Batch();

        var error = Assert.Throws<NotSupportedException>(() => trainer.Train([batch], fhe: HybridFheMode.Torch, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal(
            "Layer 'base_model.model.byForward': the 'LoraLinear' that replaces it was never called, since 'Bypassing.byForward', typed 'Linear', still holds the layer itself. "
            + "Use it by '.call(...)' instead of '.forward(...)' or its weight, or type it as 'Module<Tensor, Tensor>', as a layer must be that a batch may leave out."
            + Environment.NewLine
            + "Layer 'base_model.model.byWeight': the 'LoraLinear' that replaces it was never called, since 'Bypassing.byWeight', typed 'Linear', still holds the layer itself. "
            + "Use it by '.call(...)' instead of '.forward(...)' or its weight, or type it as 'Module<Tensor, Tensor>', as a layer must be that a batch may leave out.",
            error.Message);
        Assert.Equal(before, State(model));
        Assert.All(model.TrainableParameters(), parameter => Assert.Null(parameter.grad));
        Assert.Empty(trainer.TrainingLosses);
    }

    [Fact]
    public void Compilation_finds_them_too()
    {
        using var scope = NewDisposeScope();
        using var model = new Bypassing();
        using var hybrid = new HybridFheModel(model, Lora.GetRemoteNames(model));

        var error = Assert.Throws<NotSupportedException>(() => hybrid.CompileModel<Tensor, Tensor>(
            HybridData.Normal(1, 3, 4), cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("'Bypassing.byForward', typed 'Linear'", error.Message, StringComparison.Ordinal);
        Assert.Contains("'Bypassing.byWeight', typed 'Linear'", error.Message, StringComparison.Ordinal);
        Assert.False(hybrid.IsCompiled);
    }

    [Fact]
    public void The_probe_is_repeated_until_a_first_batch_has_passed_it()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new Bypassing(), Config, seed: 1);
        using var training = new LoraTraining(model, lossFn: Loss);
        using var batch = Batch();

        Assert.Throws<NotSupportedException>(() => training.call(batch));
        Assert.Throws<NotSupportedException>(() => training.call(batch));
    }

    [Fact]
    public void A_wide_field_used_by_forward_is_served()
    {
        using var scope = NewDisposeScope();
        var logger = new RecordingLogger();
        using var model = LoraModel.Apply(new ByForward(), Config, seed: 1);
        using var training = new LoraTraining(model, lossFn: Loss);
        using var hybrid = new HybridFheModel(training, Lora.GetRemoteNames(training), logger: logger);
        using var batch = Batch();

        hybrid.CompileModel(() => training.call(batch).Loss.Dispose(), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Empty(logger.Lines);
    }

    [Fact]
    public void A_delegate_taken_from_a_wide_field_before_is_an_error()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new Captured(), Config, seed: 1);
        using var training = new LoraTraining(model, 2, Loss);
        using var batch = Batch();

        var error = Assert.Throws<NotSupportedException>(() => training.call(batch));

        Assert.Equal(
            "Layer 'base_model.model.fc1' was called past the 'LoraLinear' that replaced it, by a reference or delegate taken before. Call the field that holds the layer.",
            error.Message);
    }

    [Fact]
    public void A_wide_layer_that_a_batch_does_not_use_is_a_warning()
    {
        using var scope = NewDisposeScope();
        var logger = new RecordingLogger();
        using var model = LoraModel.Apply(new WithUnusedHead(), Config, seed: 1);
        using var training = new LoraTraining(model, lossFn: Loss);
        using var hybrid = new HybridFheModel(training, Lora.GetRemoteNames(training), logger: logger);
        using var batch = Batch();

        hybrid.CompileModel(() => training.call(batch).Loss.Dispose(), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(
            "The calibration batch did not call these layers: inference_model.base_model.model.unused. Use a batch that does, if training will.",
            Assert.Single(logger.Lines));
        Assert.Equal((LogLevel.Warning, 2001), Assert.Single(logger.Kinds));
    }

    [Fact]
    public void The_probe_leaves_no_hook_behind()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new Mlp(), Config, seed: 1);
        using var training = new LoraTraining(model, lossFn: Loss);
        using var batch = Batch();
        var layer = model.AdaptedLayers[0].Layer;
        var before = Hooks(layer);

        training.call(batch);

        Assert.Equal(before, Hooks(layer));
    }

    [Fact]
    public void A_root_that_is_a_linear_layer_itself_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        using var model = nn.Linear(4, 4);

        var error = Assert.Throws<ArgumentException>(() => LoraModel.Apply(model, Config));

        Assert.Contains("'Linear'", error.Message, StringComparison.Ordinal);
    }

    private static Tensor Loss(Tensor logits, Tensor labels) => nn.functional.mse_loss(logits, labels);

    private static Batch Batch() => new(HybridData.Normal(1, 3, 4), HybridData.Normal(2, 3, 4));

    private static List<float> State(LoraModel model) => [.. model.TrainableParameters().SelectMany(value => value.data<float>())];

    private static int Hooks(nn.Module<Tensor, Tensor> module)
    {
        var field = typeof(nn.HookableModule<Func<nn.Module<Tensor, Tensor>, Tensor, Tensor>, Func<nn.Module<Tensor, Tensor>, Tensor, Tensor, Tensor>>)
            .GetField("module_pre_hooks", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!;
        return ((System.Collections.IDictionary)field.GetValue(module)!).Count;
    }

    private sealed class Mlp : nn.Module<Tensor, Tensor>
    {
        private readonly Linear fc1 = nn.Linear(4, 4);
        private readonly Linear fc2 = nn.Linear(4, 4);

        public Mlp() : base(nameof(Mlp)) => RegisterComponents();

        public override Tensor forward(Tensor input) => fc2.call(fc1.call(input).tanh());
    }

    private sealed class Bypassing : nn.Module<Tensor, Tensor>
    {
        private readonly Linear byCall = nn.Linear(4, 4);
        private readonly Linear byForward = nn.Linear(4, 4);
        private readonly Linear byWeight = nn.Linear(4, 4);

        public Bypassing() : base(nameof(Bypassing)) => RegisterComponents();

        public override Tensor forward(Tensor input) => nn.functional.linear(byForward.forward(byCall.call(input)), byWeight.weight, byWeight.bias);
    }

    private sealed class ByForward : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> fc1 = nn.Linear(4, 4);
        private readonly nn.Module<Tensor, Tensor> fc2 = nn.Linear(4, 4);

        public ByForward() : base(nameof(ByForward)) => RegisterComponents();

        public override Tensor forward(Tensor input) => fc2.forward(fc1.forward(input).tanh());
    }

    private sealed class Captured : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> fc1 = nn.Linear(4, 4);
        private readonly nn.Module<Tensor, Tensor> fc2 = nn.Linear(4, 4);
        private readonly Func<Tensor, Tensor> first;

        public Captured() : base(nameof(Captured))
        {
            first = fc1.call;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => fc2.call(first(input));
    }

    private sealed class WithUnusedHead : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> fc1 = nn.Linear(4, 4);
        private readonly nn.Module<Tensor, Tensor> fc2 = nn.Linear(4, 4);
        private readonly nn.Module<Tensor, Tensor> unused = nn.Linear(4, 4);

        public WithUnusedHead() : base(nameof(WithUnusedHead)) => RegisterComponents();

        public override Tensor forward(Tensor input) => input.shape[0] == 0 ? unused.call(input) : fc2.call(fc1.call(input));
    }
}
