using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

public sealed class LoraModelTests
{
    private static readonly LoraConfig Config = new() { R = 2, LoraAlpha = 6, TargetModules = ["fc1", "fc3"] };

    [Fact]
    public void Only_the_adapters_are_trained()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), Config);

        Assert.Equal(
            [
                "base_model.model.fc1.lora_A.default.weight", "base_model.model.fc1.lora_B.default.weight",
                "base_model.model.fc3.lora_A.default.weight", "base_model.model.fc3.lora_B.default.weight",
            ],
            model.named_parameters().Where(entry => entry.parameter.requires_grad).Select(entry => entry.name));
        Assert.Equal(4, model.TrainableParameters().Count);
        Assert.Equal(["fc1", "fc3"], model.AdaptedLayers.Select(layer => layer.Name));
    }

    [Fact]
    public void A_fresh_adapter_leaves_the_model_as_it_was()
    {
        using var scope = NewDisposeScope();
        var mlp = new SimpleMlp();
        var input = randn(5, 32);
        var before = mlp.call(input);

        using var model = LoraModel.Apply(mlp, Config);

        Assert.Same(mlp, model.Model);
        Assert.Equal(before.data<float>().ToArray(), mlp.call(input).data<float>().ToArray());
    }

    [Theory]
    [InlineData(false, 3.0)]
    [InlineData(true, 4.242640687119285)]
    public void The_adapters_product_is_scaled(bool useRslora, double scaling)
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new SimpleMlp(), Config with { UseRslora = useRslora, InitLoraWeights = InitLoraWeights.Random });
        var layer = model.AdaptedLayers[0].Layer;
        var input = randn(5, 32);

        var output = layer.call(input);

        var change = input.matmul(layer.A().t()).matmul(layer.B().t()).mul(scaling);
        var difference = (output - layer.BaseLayer.call(input) - change).abs().max().item<float>();
        Assert.Equal(scaling, layer.Adapters["default"].Scaling, 12);
        Assert.True(difference < 1e-5f, $"off by {difference}");
    }

    [Fact]
    public void A_layer_with_its_weight_stored_in_by_out_gets_the_same_adapter()
    {
        using var scope = NewDisposeScope();
        var conv = new Conv1D(6, 4);
        using var model = LoraModel.Apply(
            nn.Sequential(("c_attn", conv)), new LoraConfig { R = 2, TargetModules = ["c_attn"], InitLoraWeights = InitLoraWeights.Random });
        var layer = model.AdaptedLayers[0].Layer;
        var input = randn(3, 6);

        var output = ((Sequential)model.Model).call(input);

        Assert.Equal([2L, 6], layer.A().shape);
        Assert.Equal([4L, 2], layer.B().shape);
        Assert.True(model.Config.FanInFanOut);
        var merged = conv.weight + layer.B().matmul(layer.A()).t().mul(layer.Adapters["default"].Scaling);
        Assert.True((input.matmul(merged) - output).abs().max().item<float>() < 1e-5f);
    }

    [Fact]
    public void Dropout_acts_in_training_only_and_on_the_adapter_only()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new SimpleMlp(), Config with { LoraDropout = 0.5, InitLoraWeights = InitLoraWeights.Random });
        var layer = model.AdaptedLayers[0].Layer;
        var input = ones(1, 32);
        using var zero = no_grad();

        model.train();
        var noisy = layer.call(input);
        Assert.NotEqual(noisy.data<float>().ToArray(), layer.call(input).data<float>().ToArray());
        model.eval();
        Assert.Equal(layer.call(input).data<float>().ToArray(), layer.call(input).data<float>().ToArray());

        layer.B().zero_();
        model.train();
        Assert.Equal(layer.BaseLayer.call(input).data<float>().ToArray(), layer.call(input).data<float>().ToArray());
    }

    [Fact]
    public void An_adapter_takes_over_whether_its_layer_is_in_training()
    {
        var mlp = new SimpleMlp();
        mlp.eval();

        using var model = LoraModel.Apply(mlp, Config);

        Assert.False(model.AdaptedLayers[0].Layer.training);
    }

    [Fact]
    public void The_counts_are_pefts_and_so_is_the_line()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        using var writer = new StringWriter();

        model.PrintTrainableParameters(writer);

        var (adapters, all) = (2 * (32 + 64) + 2 * (64 + 64), 32 * 64 + 64 + 2 * (64 * 64 + 64) + 64 * 10 + 10);
        Assert.Equal((adapters, adapters + all), model.GetNbTrainableParameters());
        Assert.Equal("trainable params: 448 || all params: 11,530 || trainable%: 3.8855" + Environment.NewLine, writer.ToString());
    }

    [Fact]
    public void A_seed_fixes_the_adapter_and_leaves_torchs_generator_alone()
    {
        using var first = LoraModel.Apply(new SimpleMlp(), Config, seed: 7);
        using var second = LoraModel.Apply(new SimpleMlp(), Config, seed: 7);
        using var other = LoraModel.Apply(new SimpleMlp(), Config, seed: 8);
        Assert.Equal(Values(first), Values(second));
        Assert.NotEqual(Values(first), Values(other));

        manual_seed(1);
        using var mlp = new SimpleMlp();
        var expected = rand(1).item<float>();
        manual_seed(1);
        using var adapted = LoraModel.Apply(new SimpleMlp(), Config, seed: 7);
        Assert.Equal(expected, rand(1).item<float>());

        static float[] Values(LoraModel model) => model.AdaptedLayers[1].Layer.A().data<float>().ToArray();
    }

    [Fact]
    public void Biases_are_trained_where_asked()
    {
        using var none = LoraModel.Apply(new SimpleMlp(), Config);
        using var own = LoraModel.Apply(new SimpleMlp(), Config with { Bias = LoraBias.LoraOnly });
        using var all = LoraModel.Apply(new SimpleMlp(), Config with { Bias = LoraBias.All });

        Assert.Empty(Biases(none));
        Assert.Equal(["base_model.model.fc1.base_layer.bias", "base_model.model.fc3.base_layer.bias"], Biases(own));
        Assert.Equal(4, Biases(all).Count());

        static IEnumerable<string> Biases(LoraModel model) =>
            model.named_parameters().Where(entry => entry.parameter.requires_grad && entry.name.EndsWith("bias", StringComparison.Ordinal)).Select(entry => entry.name);
    }

    [Fact]
    public void A_layer_used_twice_gets_one_adapter_in_both_places()
    {
        using var scope = NewDisposeScope();
        var shared = nn.Linear(4, 4);
        var twice = new TwoNames(shared);

        using var model = LoraModel.Apply(twice, new LoraConfig { R = 2, TargetModules = ["_first"] });

        Assert.Single(model.AdaptedLayers);
        Assert.Same(model.AdaptedLayers[0].Layer, twice.First);
        Assert.Same(model.AdaptedLayers[0].Layer, twice.Inner.Second);
        Assert.Equal(2, model.TrainableParameters().Count);
    }

    [Fact]
    public void A_tied_weight_counts_once()
    {
        using var scope = NewDisposeScope();
        var embedding = nn.Embedding(10, 4);
        var head = nn.Linear(embedding.weight!);
        using var model = LoraModel.Apply(nn.Sequential(("wte", embedding), ("fc", nn.Linear(4, 4, hasBias: false)), ("lm_head", head)),
            new LoraConfig { R = 1, TargetModules = TargetModules.AllLinear });

        Assert.Equal((8, 10 * 4 + 16 + 8), model.GetNbTrainableParameters());
        Assert.Equal(["fc"], model.AdaptedLayers.Select(layer => layer.Name));
    }

    [Fact]
    public void A_double_precision_model_gets_a_double_precision_adapter()
    {
        using var scope = NewDisposeScope();
        var mlp = new SimpleMlp().to(ScalarType.Float64);

        using var model = LoraModel.Apply(mlp, Config);

        Assert.Equal(ScalarType.Float64, model.AdaptedLayers[0].Layer.A().dtype);
        Assert.Equal(ScalarType.Float64, mlp.call(ones(1, 32, dtype: ScalarType.Float64)).dtype);
    }

    [Fact]
    public void A_half_precision_model_gets_a_single_precision_adapter_and_answers_in_its_own_type()
    {
        using var scope = NewDisposeScope();
        var mlp = new SimpleMlp().to(ScalarType.BFloat16);

        using var model = LoraModel.Apply(mlp, Config);

        Assert.Equal(ScalarType.Float32, model.AdaptedLayers[0].Layer.A().dtype);
        Assert.Equal(ScalarType.BFloat16, mlp.call(ones(1, 32, dtype: ScalarType.BFloat16)).dtype);
    }

    [Fact]
    public void An_adapted_model_moves_as_a_whole()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new SimpleMlp(), Config);

        model.to(ScalarType.Float64);

        Assert.All(model.named_parameters(), entry => Assert.Equal(ScalarType.Float64, entry.parameter.dtype));
        Assert.Equal(4, model.TrainableParameters().Count);
        Assert.Equal(ScalarType.Float64, ((SimpleMlp)model.Model).call(ones(1, 32, dtype: ScalarType.Float64)).dtype);
    }

    [Fact]
    public void Another_module_can_take_the_base_layers_place()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        var layer = model.AdaptedLayers[0].Layer;
        using var original = layer.BaseLayer;

        ModuleSurgery.Replace(layer, "base_layer", nn.Linear(32, 64, hasBias: false));

        Assert.NotSame(original, layer.BaseLayer);
        Assert.Equal([1L, 64], layer.call(ones(1, 32)).shape);
        Assert.DoesNotContain(model.named_parameters(), entry => entry.name == "base_model.model.fc1.base_layer.bias");
    }

    [Fact]
    public void An_adapter_made_in_a_dispose_scope_outlives_it()
    {
        LoraModel model;
        using (NewDisposeScope())
        {
            model = LoraModel.Apply(new SimpleMlp(), Config);
        }

        using var scope = NewDisposeScope();
        using var owned = model;
        Assert.Equal([1L, 10], ((SimpleMlp)model.Model).call(ones(1, 32)).shape);
    }

    [Fact]
    public void An_input_of_the_wrong_width_is_refused()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new SimpleMlp(), Config);

        var error = Assert.Throws<ArgumentException>(() => ((SimpleMlp)model.Model).call(ones(1, 31)));

        Assert.Contains("Layer 'fc1' takes [..., 32]; the input is [1, 31].", error.Message, StringComparison.Ordinal);
    }

    private sealed class TwoNames : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _first;
        private readonly Holder _inner;

        public TwoNames(nn.Module<Tensor, Tensor> shared) : base(nameof(TwoNames))
        {
            (_first, _inner) = (shared, new Holder(shared));
            RegisterComponents();
        }

        public nn.Module First => _first;

        public Holder Inner => _inner;

        public override Tensor forward(Tensor input) => _inner.call(_first.call(input));
    }

    private sealed class Holder : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _second;

        public Holder(nn.Module<Tensor, Tensor> shared) : base(nameof(Holder))
        {
            _second = shared;
            RegisterComponents();
        }

        public nn.Module Second => _second;

        public override Tensor forward(Tensor input) => _second.call(input);
    }
}
