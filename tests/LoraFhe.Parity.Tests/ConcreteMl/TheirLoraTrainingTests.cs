using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>The reference's tests of its LoraTraining, each under its own name (<c>tests/torch/test_lora.py</c> of Concrete ML 1.9.0).</summary>
public sealed class TheirLoraTrainingTests
{
    [Fact]
    public void Assert_has_lora_layers_with_lora_layers()
    {
        using var model = new DummyLoraModel();
        LoraTraining.AssertHasLoraLayers(model);
    }

    [Fact]
    public void Assert_has_lora_layers_without_lora_layers()
    {
        using var model = new TwoLayers();
        var error = Assert.Throws<ArgumentException>(() => LoraTraining.AssertHasLoraLayers(model));
        Assert.Contains("The model does not contain any detectable LoRA layers", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Replace_layers_with_custom()
    {
        using var model = new TwoLayers("linear1", "linear2");
        LoraTraining.ReplaceLayersWithCustom(model, 1);
        Assert.IsType<Linear>(model.First);
        Assert.IsType<CustomLinear>(model.Second);
    }

    [Fact]
    public void Replace_layers_with_custom_skips_lora_layers()
    {
        using var model = new TwoLayers("lora_linear", "linear");
        LoraTraining.ReplaceLayersWithCustom(model, 0);
        Assert.IsType<Linear>(model.First);
        Assert.IsType<CustomLinear>(model.Second);
    }

    [Fact]
    public void Replace_layers_with_custom_recursive()
    {
        using var model = nn.Sequential(("layer1", nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 10))));
        LoraTraining.ReplaceLayersWithCustom(model, 0);
        var layers = model.children().Single().children().ToList();
        Assert.IsType<CustomLinear>(layers[0]);
        Assert.IsType<ReLU>(layers[1]);
        Assert.IsType<CustomLinear>(layers[2]);
    }

    [Fact]
    public void Replace_layers_with_transformer_conv1d()
    {
        using var model = nn.Sequential(("conv1d", new Conv1D(10, 10)));
        LoraTraining.ReplaceLayersWithCustom(model, 0);
        Assert.IsType<CustomLinear>(model.children().Single());
    }

    [Fact]
    public void Forward_with_loss_fn()
    {
        // With a loss function optional labels are not passed on, so this model returns logits here, and trains; one that must have labels
        // returns a loss only, as theirs does.
        using var trained = new LoraTraining(new DummyLoraModel(), lossFn: Mse);
        using Batch batch = (randn(5, 10), randn(5, 10));
        trained.call(batch).Loss.Dispose();

        using var training = new LoraTraining(new OnlyLoss(), lossFn: Mse);
        var error = Assert.Throws<InvalidOperationException>(() => training.call(batch));
        Assert.Contains("must return either a Tensor", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_without_loss_fn_model_returns_loss()
    {
        using var training = new LoraTraining(new ReturnsDictionary());
        using Batch batch = (randn(5, 10), randn(5, 10));
        using var loss = training.call(batch).Loss;
        Assert.Equal(0, loss.dim());
    }

    [Fact]
    public void Forward_without_loss_fn_model_returns_loss_as_attribute()
    {
        using var training = new LoraTraining(new DummyLoraModel());
        using Batch batch = (randn(5, 10), randn(5, 10));
        using var loss = training.call(batch).Loss;
        Assert.Equal(0, loss.dim());
    }

    [Fact]
    public void Forward_with_less_than_two_inputs()
    {
        var error = Assert.Throws<ArgumentException>(() => Batch.FromList([randn(5, 10)]));
        Assert.Contains("must have two elements", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Set_loss_scaling_factor()
    {
        using var training = new LoraTraining(new DummyLoraModel());
        training.SetLossScalingFactor(0.5);
        Assert.Equal(0.5, training.LossScalingFactor);
    }

    [Fact]
    public void Lora_training_forward_with_loss_fn_and_attention_mask()
    {
        using var model = new WithAttention();
        using var training = new LoraTraining(model, lossFn: Mse);
        using var batch = Masked();
        using var loss = training.call(batch).Loss;
        Assert.Equal(0, loss.dim());
        Assert.True(model.SawMask);
    }

    [Fact]
    public void Lora_training_forward_with_additional_inputs()
    {
        using var model = new WithAttention();
        using var training = new LoraTraining(model);
        using var batch = Masked();
        using var loss = training.call(batch).Loss;
        Assert.Equal(0, loss.dim());
        Assert.True(model.SawMask);
    }

    [Fact]
    public void Lora_training_forward_with_no_loss_fn_and_no_labels()
    {
        using var training = new LoraTraining(new DummyLoraModel());
        using Batch batch = (randn(5, 10), null);
        var error = Assert.Throws<InvalidOperationException>(() => training.call(batch));
        Assert.Contains("The model did not return a loss.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lora_training_init_validates_model_signature()
    {
        using var model = new TwoLayers("lora_a", "linear");
        var error = Assert.Throws<ArgumentException>(() => new LoraTraining(model));
        Assert.Contains("must accept a 'labels' parameter", error.Message, StringComparison.Ordinal);
    }

    private static Tensor Mse(Tensor logits, Tensor labels) => nn.functional.mse_loss(logits, labels);

    private static Batch Masked() => new(new Dictionary<string, Tensor> { ["x"] = randn(5, 10), ["labels"] = randn(5, 10), ["attention_mask"] = randint(0, 2, [5, 10]) });

    private sealed class OnlyLoss : nn.Module<Tensor, Tensor, ModelOutput>
    {
        [ComponentName(Name = "lora_a")]
        private readonly Parameter _loraA = new(randn(10, 10));

        public OnlyLoss()
            : base(nameof(OnlyLoss)) => RegisterComponents();

        public override ModelOutput forward(Tensor x, Tensor labels) => new() { Loss = Mse(x.matmul(_loraA), labels) };
    }

    private sealed class ReturnsDictionary : nn.Module<Tensor, Tensor?, Dictionary<string, Tensor>>
    {
        [ComponentName(Name = "lora_a")]
        private readonly Parameter _loraA = new(randn(10, 10));

        public ReturnsDictionary()
            : base(nameof(ReturnsDictionary)) => RegisterComponents();

        public override Dictionary<string, Tensor> forward(Tensor x, Tensor? labels)
        {
            var logits = x.matmul(_loraA);
            return labels is null ? new() { ["logits"] = logits } : new() { ["loss"] = Mse(logits, labels) };
        }
    }

    private sealed class WithAttention : nn.Module<Tensor, Tensor?, Tensor?, ModelOutput>
    {
        [ComponentName(Name = "lora_a")]
        private readonly Parameter _loraA = new(randn(10, 10));

        [ComponentName(Name = "linear")]
        private readonly nn.Module<Tensor, Tensor> _linear = nn.Linear(10, 10);

        public WithAttention()
            : base(nameof(WithAttention)) => RegisterComponents();

        public bool SawMask { get; private set; }

        public override ModelOutput forward(Tensor x, Tensor? attentionMask, Tensor? labels)
        {
            SawMask = attentionMask is not null;
            x = attentionMask is null ? x : x + attentionMask;
            var logits = _linear.call(x) + x.matmul(_loraA);
            return new ModelOutput { Logits = logits, Loss = labels is null ? null : Mse(logits, labels) };
        }
    }
}
