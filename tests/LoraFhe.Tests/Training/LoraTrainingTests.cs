using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>Detection, replacement, and one forward and backward pass; the reference's own tests are in Parity.</summary>
public sealed class LoraTrainingTests
{
    [Theory]
    [InlineData("lora_a")]
    [InlineData("lora_A")]
    [InlineData("LORA_B")]
    [InlineData("lora_dropout")]
    [InlineData("lora_embedding_A")]
    public void A_parameter_named_as_an_adapters_is_found(string name)
    {
        using var model = new Named(name);
        LoraTraining.AssertHasLoraLayers(model);
    }

    [Theory]
    [InlineData("weight")]
    [InlineData("exploration_head")]
    [InlineData("flora_a")]
    public void A_model_without_adapters_is_refused(string name)
    {
        using var model = new Named(name);
        Assert.Contains("does not contain any detectable LoRA layers", Assert.Throws<ArgumentException>(() => LoraTraining.AssertHasLoraLayers(model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Peft_models_are_found()
    {
        using var model = LoraModel.Apply(new Mlp([3, 4, 5, 2]), new LoraConfig { R = 1, TargetModules = ["fc1"] });
        LoraTraining.AssertHasLoraLayers(model);
    }

    [Fact]
    public void A_merged_adapter_is_refused_while_it_can_still_be_unmerged()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new Mlp([3, 4, 5, 2]), new LoraConfig { R = 1, TargetModules = ["fc1"] });
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        model.MergeAdapter();
        Func<Tensor, Tensor, Tensor> loss = (logits, _) => logits.sum();
        foreach (var make in new Action[] { () => _ = new LoraTraining(model, lossFn: loss), () => _ = new LoraTrainer(model, optimizer, loss, logger: new RecordingLogger()) })
        {
            var error = Assert.Throws<InvalidOperationException>(make);
            Assert.StartsWith("Adapter 'default' is merged", error.Message, StringComparison.Ordinal);
        }

        model.UnmergeAdapter();
        using var training = new LoraTraining(model, lossFn: loss);
        using Batch batch = (ones(2, 3), ones(2));
        training.call(batch);
    }

    [Theory]
    [InlineData(0, new[] { "fc1", "fc2", "fc3" })]
    [InlineData(1, new[] { "fc2", "fc3" })]
    [InlineData(2, new[] { "fc3" })]
    [InlineData(9, new string[0])]
    [InlineData(-1, new[] { "fc1", "fc2", "fc3" })]
    public void The_first_layers_are_skipped_and_the_rest_replaced(int skip, string[] replaced)
    {
        using var model = new Mlp([3, 4, 5, 2]);
        LoraTraining.ReplaceLayersWithCustom(model, skip);
        Assert.Equal(replaced, Replaced(model));
    }

    [Fact]
    public void Layers_with_a_LoRA_name_stay_and_do_not_count_but_explorationHead_is_no_such_name()
    {
        using var model = new Odd();
        LoraTraining.ReplaceLayersWithCustom(model, 1);
        Assert.Equal(["exploration_head", "nested.0", "nested.2", "lm_head"], Replaced(model));
        Assert.IsType<Linear>(ModuleSurgery.Descendants(model).Single(entry => entry.Name == "lora_linear").Module);
        Assert.Equal(
            ["linear", "exploration_head.forward_module", "exploration_head.backward_module", "nested.0.forward_module", "nested.0.backward_module", "nested.2.forward_module", "nested.2.backward_module"],
            Lora.GetRemoteNames(model));
    }

    [Fact]
    public void A_replaced_layer_shares_the_original_parameters_and_lists_each_once()
    {
        using var model = new Mlp([3, 4, 5, 2]);
        var before = model.parameters().Select(parameter => parameter.Handle).ToHashSet();
        LoraTraining.ReplaceLayersWithCustom(model, 0);
        Assert.Equal(before, model.parameters().Select(parameter => parameter.Handle).ToHashSet());
        Assert.Equal(6, model.parameters().Count());
    }

    [Fact]
    public void A_Conv1D_is_replaced_and_stays_frozen_where_it_is_skipped()
    {
        using var model = nn.Sequential(("first", new Conv1D(3, 4)), ("second", new Conv1D(4, 2)));
        LoraTraining.ReplaceLayersWithCustom(model, 1);
        Assert.Equal(["second"], Replaced(model));
        Assert.IsType<Conv1D>(ModuleSurgery.Descendants(model).Single(entry => entry.Name == "first").Module);
    }

    [Fact]
    public void Without_a_loss_function_the_labels_are_asked_for_before_the_adapters()
    {
        using var model = nn.Linear(2, 2);
        Assert.Contains("must accept a 'labels' parameter", Assert.Throws<ArgumentException>(() => new LoraTraining(model)).Message, StringComparison.Ordinal);
        Assert.Contains("LoRA layers", Assert.Throws<ArgumentException>(() => new LoraTraining(model, lossFn: Mse)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_loss_comes_back_unscaled_and_detached_and_its_gradient_is_scaled()
    {
        using var model = new Labeled();
        using var training = new LoraTraining(model);
        training.SetLossScalingFactor(0.5);
        using Batch batch = (ones(2, 3), ones(2, 2));
        var (loss, none) = training.call(batch);
        using var half = model.Gradient();
        training.SetLossScalingFactor(1.0);
        model.zero_grad(set_to_none: false);
        var (again, _) = training.call(batch);
        using var whole = model.Gradient();
        Assert.Null(none);
        Assert.False(loss.requires_grad);
        Assert.Equal(loss.item<float>(), again.item<float>());
        Assert.True(half.allclose(whole * 2));
        loss.Dispose();
        again.Dispose();
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(-1.0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_scaling_factor_that_is_not_positive_is_refused(double factor)
    {
        using var training = new LoraTraining(new Labeled());
        Assert.Throws<ArgumentOutOfRangeException>(() => training.SetLossScalingFactor(factor));
    }

    [Fact]
    public void A_model_that_returns_no_loss_is_an_error()
    {
        using var training = new LoraTraining(new Labeled());
        using Batch batch = (ones(2, 3), null);
        Assert.Contains("did not return a loss", Assert.Throws<InvalidOperationException>(() => training.call(batch)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void With_a_loss_function_a_model_that_returns_only_a_loss_is_an_error()
    {
        using var training = new LoraTraining(new OnlyLoss(), lossFn: Mse);
        using Batch batch = (ones(2, 3), ones(2, 2));
        Assert.Contains("either a Tensor or a ModelOutput", Assert.Throws<InvalidOperationException>(() => training.call(batch)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void With_a_loss_function_optional_labels_are_not_given_to_the_model()
    {
        using var model = new Labeled();
        using var training = new LoraTraining(model, lossFn: Mse);
        using Batch batch = (ones(2, 3), ones(2, 2));
        training.call(batch).Loss.Dispose();
        Assert.False(model.SawLabels);
        Assert.Equal(["x", "labels"], batch.Keys);
    }

    [Fact]
    public void A_mask_of_zeros_and_ones_is_taken_and_any_other_refused()
    {
        using var training = new LoraTraining(new WithMask(), lossFn: Mse);
        using var good = new Batch(new Dictionary<string, Tensor> { ["x"] = ones(2, 3), ["labels"] = ones(2, 2), ["attention_mask"] = tensor(new long[] { 1, 0 }) });
        training.call(good).Loss.Dispose();
        using var bad = new Batch(new Dictionary<string, Tensor> { ["x"] = ones(2, 3), ["labels"] = ones(2, 2), ["attention_mask"] = tensor(new float[] { 1, 0.5f }) });
        Assert.Contains("only contain 0s and 1s", Assert.Throws<ArgumentException>(() => training.call(bad)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ProcessInputs_finds_mask_and_labels_and_leaves_the_batch_alone()
    {
        using var batch = new Batch(new Dictionary<string, Tensor> { ["x"] = ones(1), ["labels"] = ones(2), ["attention_mask"] = ones(3) });
        var (mask, labels) = LoraTraining.ProcessInputs(batch);
        Assert.Same(batch["attention_mask"], mask);
        Assert.Same(batch["labels"], labels);
        Assert.Equal(3, batch.Count);
    }

    [Fact]
    public void Gradients_add_up_over_calls()
    {
        using var model = new Labeled();
        using var training = new LoraTraining(model);
        using Batch batch = (ones(2, 3), ones(2, 2));
        training.call(batch).Loss.Dispose();
        using var once = model.Gradient();
        training.call(batch).Loss.Dispose();
        Assert.True(model.Gradient().allclose(once * 2));
    }

    private static Tensor Mse(Tensor logits, Tensor labels) => nn.functional.mse_loss(logits, labels);

    private static IEnumerable<string> Replaced(nn.Module model) =>
        ModuleSurgery.Descendants(model).Where(entry => entry.Module is CustomLinear).Select(entry => entry.Name);

    private sealed class Named : nn.Module<Tensor, Tensor>
    {
        public Named(string name)
            : base(nameof(Named)) => register_parameter(name, new Parameter(ones(1)));

        public override Tensor forward(Tensor x) => x.alias();
    }

    private sealed class Odd : nn.Module<Tensor, Tensor>
    {
        [ComponentName(Name = "lora_linear")]
        private readonly nn.Module<Tensor, Tensor> _loraLinear = nn.Linear(3, 3);

        [ComponentName(Name = "linear")]
        private readonly nn.Module<Tensor, Tensor> _linear = nn.Linear(3, 3);

        [ComponentName(Name = "exploration_head")]
        private readonly nn.Module<Tensor, Tensor> _explorationHead = nn.Linear(3, 3);

        [ComponentName(Name = "nested")]
        private readonly nn.Module<Tensor, Tensor> _nested = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3));

        [ComponentName(Name = "lm_head")]
        private readonly nn.Module<Tensor, Tensor> _lmHead = nn.Linear(3, 3);

        public Odd()
            : base(nameof(Odd)) => RegisterComponents();

        public override Tensor forward(Tensor x) => _lmHead.call(_nested.call(_explorationHead.call(_linear.call(_loraLinear.call(x)))));
    }

    private sealed class Labeled : nn.Module<Tensor, Tensor?, ModelOutput>
    {
        [ComponentName(Name = "lora_a")]
        private readonly Parameter _loraA = new(ones(3, 2));

        public Labeled()
            : base(nameof(Labeled)) => RegisterComponents();

        public bool SawLabels { get; private set; }

        public Tensor Gradient() => _loraA.grad!.clone();

        public override ModelOutput forward(Tensor x, Tensor? labels = null)
        {
            SawLabels = labels is not null;
            var logits = x.matmul(_loraA);
            return new ModelOutput { Logits = logits, Loss = labels is null ? null : Mse(logits, labels) };
        }
    }

    private sealed class OnlyLoss : nn.Module<Tensor, Tensor, ModelOutput>
    {
        [ComponentName(Name = "lora_a")]
        private readonly Parameter _loraA = new(ones(3, 2));

        public OnlyLoss()
            : base(nameof(OnlyLoss)) => RegisterComponents();

        public override ModelOutput forward(Tensor x, Tensor labels) => new() { Loss = Mse(x.matmul(_loraA), labels) };
    }

    private sealed class WithMask : nn.Module<Tensor, Tensor?, Tensor>
    {
        [ComponentName(Name = "lora_a")]
        private readonly Parameter _loraA = new(ones(3, 2));

        public WithMask()
            : base(nameof(WithMask)) => RegisterComponents();

        public override Tensor forward(Tensor x, Tensor? attentionMask) => x.matmul(_loraA);
    }
}
