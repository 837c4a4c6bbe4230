using LoraFhe.Fixtures;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>PiSSA and OLoRA: adapters that start as a part of the weight, which loses it.</summary>
public sealed class BaseFactorsTests
{
    private static LoraConfig Config(InitLoraWeights start) => new() { R = 4, LoraAlpha = 6, TargetModules = ["fc1", "fc3"], InitLoraWeights = start };

    public static TheoryData<InitLoraWeights> Starts => [InitLoraWeights.Pissa, InitLoraWeights.Olora];

    [Theory]
    [MemberData(nameof(Starts))]
    public void The_model_starts_as_it_was_with_its_weight_in_two_parts(InitLoraWeights start)
    {
        using var scope = NewDisposeScope();
        var mlp = new SimpleMlp();
        var (input, weight) = (randn(5, 32), mlp.get_parameter("fc1.weight")!.detach().clone());
        var before = mlp.call(input);

        using var model = LoraModel.Apply(mlp, Config(start));

        var layer = model.AdaptedLayers[0].Layer;
        var product = layer.B().matmul(layer.A()).mul(1.5);
        AssertClose(weight, layer.BaseLayer.get_parameter("weight")! + product, 1e-6);
        AssertClose(before, mlp.call(input), 1e-5);
        Assert.True(product.abs().max().item<float>() > 0.01f);
        Assert.False(layer.BaseLayer.get_parameter("weight")!.requires_grad);
    }

    [Fact]
    public void PiSSA_takes_the_best_approximation_of_its_rank()
    {
        using var scope = NewDisposeScope();
        var mlp = new SimpleMlp();
        var (_, values, _) = linalg.svd(mlp.get_parameter("fc1.weight")!.detach());
        using var model = LoraModel.Apply(mlp, Config(InitLoraWeights.Pissa));

        // What is left has the remaining singular values; A and B share the taken ones evenly.
        var layer = model.AdaptedLayers[0].Layer;
        var (_, left, _) = linalg.svd(layer.BaseLayer.get_parameter("weight")!.detach());
        AssertClose(values[4..], left[..28], 1e-5);
        AssertClose(values[..4] / 1.5, layer.A().square().sum([1L]), 1e-5);
        AssertClose(values[..4] / 1.5, layer.B().square().sum([0L]), 1e-5);
    }

    [Fact]
    public void OLoRA_starts_with_orthonormal_columns_and_a_triangle()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new SimpleMlp(), Config(InitLoraWeights.Olora));
        var layer = model.AdaptedLayers[0].Layer;

        AssertClose(eye(4), layer.B().t().matmul(layer.B()), 1e-5);
        AssertClose(layer.A().triu(), layer.A(), 0);
    }

    [Theory]
    [InlineData(ScalarType.Float64, 1e-12)]
    [InlineData(ScalarType.BFloat16, 1e-2)]
    public void It_works_in_the_weights_own_type(ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        var mlp = new SimpleMlp().to(type);
        var input = randn(5, 32).to(type);
        var before = mlp.call(input);

        using var model = LoraModel.Apply(mlp, Config(InitLoraWeights.Pissa));

        AssertClose(before.to(float64), ((SimpleMlp)model.Model).call(input).to(float64), tolerance);
        Assert.Equal(type, model.AdaptedLayers[0].Layer.BaseLayer.get_parameter("weight")!.dtype);
    }

    [Fact]
    public void A_weight_stored_in_by_out_is_factored_as_out_by_in()
    {
        using var scope = NewDisposeScope();
        var conv = new Conv1D(6, 4);
        var input = randn(3, 6);
        var before = conv.call(input);

        using var model = LoraModel.Apply(nn.Sequential(("c_attn", conv)), new LoraConfig { R = 3, TargetModules = ["c_attn"], InitLoraWeights = InitLoraWeights.Pissa });

        Assert.Equal([3L, 6], model.AdaptedLayers[0].Layer.A().shape);
        Assert.NotEqual(before.data<float>().ToArray(), conv.call(input).data<float>().ToArray());
        AssertClose(before, ((Sequential)model.Model).call(input), 1e-6);
    }

    [Theory]
    [MemberData(nameof(Starts))]
    public void Disabled_or_unloaded_the_model_answers_as_before_it_had_an_adapter(InitLoraWeights start)
    {
        using var scope = NewDisposeScope();
        var mlp = new SimpleMlp();
        var (input, weight) = (randn(5, 32), mlp.get_parameter("fc1.weight")!.detach().clone());
        var before = mlp.call(input);
        var model = LoraModel.Apply(mlp, Config(start));
        using (no_grad())
        {
            model.AdaptedLayers[0].Layer.B().add_(1);
        }

        Assert.True((mlp.call(input) - before).abs().max().item<float>() > 0.01f);
        using (model.DisableAdapter())
        {
            AssertClose(before, mlp.call(input), 1e-5);
        }

        model.Unload();
        AssertClose(weight, mlp.get_parameter("fc1.weight")!, 1e-6);
        AssertClose(before, mlp.call(input), 1e-5);
        Assert.DoesNotContain(mlp.named_buffers(), entry => entry.name.Contains("lora", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Starts))]
    public void Merged_the_model_answers_as_with_the_adapter(InitLoraWeights start)
    {
        using var scope = NewDisposeScope();
        var mlp = new SimpleMlp();
        var input = randn(5, 32);
        var model = LoraModel.Apply(mlp, Config(start));
        using (no_grad())
        {
            model.AdaptedLayers[0].Layer.B().add_(0.1);
        }

        var trained = mlp.call(input);
        model.MergeAdapter();
        AssertClose(trained, mlp.call(input), 1e-5);
        model.UnmergeAdapter();
        AssertClose(trained, mlp.call(input), 1e-5);
        model.MergeAndUnload();
        AssertClose(trained, mlp.call(input), 1e-5);
    }

    [Fact]
    public void The_state_and_the_counts_do_not_show_what_was_taken_out_and_it_moves_along()
    {
        using var scope = NewDisposeScope();
        using var plain = LoraModel.Apply(new SimpleMlp(), Config(InitLoraWeights.KaimingUniform));
        using var model = LoraModel.Apply(new SimpleMlp(), Config(InitLoraWeights.Pissa));

        Assert.Equal(plain.state_dict().Keys, model.state_dict().Keys);
        Assert.Equal(plain.GetNbTrainableParameters(), model.GetNbTrainableParameters());

        model.to(ScalarType.Float64);
        using (model.DisableAdapter())
        {
            Assert.Equal(ScalarType.Float64, ((SimpleMlp)model.Model).call(ones(1, 32, dtype: ScalarType.Float64)).dtype);
        }
    }

    [Fact]
    public void A_file_that_does_not_fit_leaves_every_bit_of_the_weights()
    {
        using var folder = new TemporaryFolder();
        using (var saved = LoraModel.Apply(new SimpleMlp(), Config(InitLoraWeights.Pissa) with { TargetModules = ["fc1"] }))
        {
            saved.SavePretrained(folder.Path);
        }

        File.WriteAllText(folder.At("adapter_config.json"), File.ReadAllText(folder.At("adapter_config.json")).Replace("fc1", "fc3", StringComparison.Ordinal));
        using var mlp = new SimpleMlp();
        var before = mlp.parameters().Select(parameter => parameter.data<float>().ToArray()).ToArray();

        Assert.Throws<InvalidDataException>(() => LoraModel.FromPretrained(mlp, folder.Path));

        Assert.Equal(before, mlp.parameters().Select(parameter => parameter.data<float>().ToArray()).ToArray());
    }

    public static TheoryData<string, LoraConfig> Refusals => new()
    {
        { "Layer 'fc1': InitLoraWeights Pissa takes the rank from the weight, which has 32; 33 is asked for.", Config(InitLoraWeights.Pissa) with { R = 33 } },
        { "Layer 'fc1': InitLoraWeights Olora takes the rank from the weight, which has 32; 33 is asked for.", Config(InitLoraWeights.Olora) with { R = 33 } },
        { "Layer 'fc1': InitLoraWeights Pissa needs a positive LoraAlpha; it is -1.", Config(InitLoraWeights.Pissa) with { LoraAlpha = -1 } },
        { "Layer 'fc1': InitLoraWeights Orthogonal needs an even rank; it is 3.", Config(InitLoraWeights.Orthogonal) with { R = 3 } },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void A_layer_that_cannot_start_so_is_refused_by_name_and_nothing_changes(string expected, LoraConfig config)
    {
        using var mlp = new SimpleMlp();
        var before = mlp.parameters().Select(parameter => parameter.data<float>().ToArray()).ToArray();

        var error = Assert.Throws<ArgumentException>(() => LoraModel.Apply(mlp, config));

        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, mlp.parameters().Select(parameter => parameter.data<float>().ToArray()).ToArray());
    }

    [Fact]
    public void A_weight_that_is_not_finite_a_tied_one_and_a_transposed_one_under_OLoRA_are_refused_by_name()
    {
        using var scope = NewDisposeScope();
        var mlp = new SimpleMlp();
        using (no_grad())
        {
            mlp.get_parameter("fc3.weight")!.fill_(float.NaN);
        }

        Assert.StartsWith("Layer 'fc3': the weight", Assert.Throws<ArgumentException>(() => LoraModel.Apply(mlp, Config(InitLoraWeights.Pissa))).Message, StringComparison.Ordinal);

        var embedding = nn.Embedding(10, 4);
        var tied = nn.Sequential(("wte", embedding), ("head", nn.Linear(embedding.weight!)));
        var error = Assert.Throws<NotSupportedException>(
            () => LoraModel.Apply(tied, new LoraConfig { R = 2, TargetModules = ["head"], InitLoraWeights = InitLoraWeights.Pissa }));
        Assert.Equal("InitLoraWeights Pissa would change the weight of 'head', which 'wte' shares. Leave the layer out, or set another start.", error.Message);

        var transposed = nn.Sequential(("c_attn", new Conv1D(4, 4)));
        var olora = Assert.Throws<ArgumentException>(
            () => LoraModel.Apply(transposed, new LoraConfig { R = 2, TargetModules = ["c_attn"], InitLoraWeights = InitLoraWeights.Olora }));
        Assert.StartsWith("Layer 'c_attn' stores its weight [in, out], to which peft cannot apply OLoRA.", olora.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void It_stands_alone()
    {
        using var folder = new TemporaryFolder();
        using var pissa = LoraModel.Apply(new SimpleMlp(), Config(InitLoraWeights.Pissa));
        using var plain = LoraModel.Apply(new SimpleMlp(), Config(InitLoraWeights.Gaussian));
        plain.SavePretrained(folder.Path);

        var beside = Assert.Throws<ArgumentException>(() => pissa.AddAdapter("second", Config(InitLoraWeights.Gaussian)));
        Assert.StartsWith("Adapter 'default' has taken its first values out of the model's weights, so it cannot stand beside another.", beside.Message, StringComparison.Ordinal);
        var second = Assert.Throws<ArgumentException>(() => plain.AddAdapter("second", Config(InitLoraWeights.Olora)));
        Assert.StartsWith("InitLoraWeights Olora takes the first values out of the model's weights", second.Message, StringComparison.Ordinal);
        var values = Assert.Throws<InvalidDataException>(() => pissa.LoadAdapter(folder.Path));
        Assert.StartsWith("adapter_config.json: 'init_lora_weights' is Gaussian, the model's adapter started as Pissa", values.Message, StringComparison.Ordinal);
    }

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        var distance = (expected - actual).abs().max().to(float64).item<double>();
        Assert.True(distance <= tolerance, $"off by {distance}");
    }
}
