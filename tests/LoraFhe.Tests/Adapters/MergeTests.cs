using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>Adapters in the weights and out again.</summary>
public sealed class MergeTests
{
    private static readonly LoraConfig Config = new() { R = 2, LoraAlpha = 6, TargetModules = ["fc1", "fc3"], InitLoraWeights = InitLoraWeights.Random };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_merged_weight_is_the_sum_and_the_answers_stay(bool safeMerge)
    {
        using var scope = NewDisposeScope();
        var (mlp, input) = (new SimpleMlp(), randn(5, 32));
        using var model = LoraModel.Apply(mlp, Config);
        var layer = model.AdaptedLayers[0].Layer;
        var expected = layer.BaseLayer.get_parameter("weight")! + layer.B().matmul(layer.A()).mul(3);
        var adapted = mlp.call(input);

        model.MergeAdapter(safeMerge);

        Assert.Equal(["default"], model.MergedAdapters);
        Assert.Equal(["default"], layer.MergedAdapters);
        AssertClose(1e-6, expected, layer.BaseLayer.get_parameter("weight")!);
        AssertClose(1e-5, adapted, mlp.call(input));
        Assert.Equal(layer.BaseLayer.call(input).data<float>().ToArray(), layer.call(input).data<float>().ToArray());
    }

    [Fact]
    public void Unmerged_a_weight_is_what_it_was_to_a_few_units_in_the_last_place()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        var weight = model.AdaptedLayers[0].Layer.BaseLayer.get_parameter("weight")!;
        var before = weight.clone();

        model.MergeAdapter();
        Assert.False(weight.allclose(before));
        model.UnmergeAdapter();

        Assert.Empty(model.MergedAdapters);
        Assert.True((weight - before).abs().max().item<float>() <= 4 * float.BitIncrement(1) - 4);
        Assert.Equal("default", model.AdaptedLayers[0].Layer.ActiveAdapter);
    }

    [Fact]
    public void Merging_changes_the_parameter_that_is_there()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        var weight = model.AdaptedLayers[0].Layer.BaseLayer.get_parameter("weight")!;

        model.MergeAdapter(safeMerge: true);

        Assert.Same(weight, model.AdaptedLayers[0].Layer.BaseLayer.get_parameter("weight"));
        Assert.False(weight.requires_grad);
    }

    [Fact]
    public void A_weight_stored_in_by_out_gets_the_transposed_product()
    {
        using var scope = NewDisposeScope();
        var (conv, input) = (new Conv1D(6, 4), randn(3, 6));
        using var model = LoraModel.Apply(
            nn.Sequential(("c_attn", conv)), new LoraConfig { R = 2, TargetModules = ["c_attn"], InitLoraWeights = InitLoraWeights.Random });
        var adapted = ((Sequential)model.Model).call(input);

        using var merged = (Sequential)model.MergeAndUnload();

        Assert.Same(conv, merged.named_children().Single().module);
        AssertClose(1e-5, adapted, merged.call(input));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_half_precision_weight_is_rounded_once_or_with_a_safe_merge_twice(bool safeMerge)
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new SimpleMlp().to(ScalarType.BFloat16), Config);
        var layer = model.AdaptedLayers[0].Layer;
        var weight = layer.BaseLayer.get_parameter("weight")!;
        var change = layer.B().matmul(layer.A()).mul(3);
        var expected = safeMerge
            ? weight + change.to(ScalarType.BFloat16)
            : (weight.to(ScalarType.Float32) + change).to(ScalarType.BFloat16);

        model.MergeAdapter(safeMerge);

        Assert.Equal(ScalarType.BFloat16, weight.dtype);
        Assert.True(expected.equal(weight).all().item<bool>());
    }

    [Fact]
    public void Half_precision_matrices_are_multiplied_in_single_precision()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        model.to(ScalarType.Float16);
        var layer = model.AdaptedLayers[0].Layer;
        var weight = layer.BaseLayer.get_parameter("weight")!;
        var change = layer.B().to(ScalarType.Float32).matmul(layer.A().to(ScalarType.Float32)).mul(3).to(ScalarType.Float16);
        var expected = weight + change;

        model.MergeAdapter();

        Assert.True(expected.equal(weight).all().item<bool>());
    }

    [Fact]
    public void Several_adapters_can_be_merged_and_each_only_once()
    {
        using var scope = NewDisposeScope();
        var logger = new RecordingLogger();
        using var model = LoraModel.Apply(new SimpleMlp(), Config, logger: logger);
        model.AddAdapter("second", Config with { TargetModules = ["fc3", "fc4"] });
        var layer = model.AdaptedLayers[1].Layer;
        var weight = layer.BaseLayer.get_parameter("weight")!;
        var expected = weight + layer.B().matmul(layer.A()).mul(3) + layer.B("second").matmul(layer.A("second")).mul(3);

        model.MergeAdapter();
        model.MergeAdapter();
        model.MergeAdapter(safeMerge: true, ["default", "second", "second"]);

        AssertClose(1e-6, expected, weight);
        Assert.Equal(["default", "second"], model.MergedAdapters);
        Assert.Equal([["default"], ["default", "second"], ["second"]], model.AdaptedLayers.Select(entry => entry.Layer.MergedAdapters));
        Assert.Equal(
            ["All adapters asked for are merged already (default); nothing to do.", "Merged already: default; now merged as well: second."],
            logger.Lines);
        model.UnmergeAdapter();
        Assert.Empty(model.MergedAdapters);
    }

    [Fact]
    public void Nothing_merged_is_nothing_to_unmerge()
    {
        var logger = new RecordingLogger();
        using var model = LoraModel.Apply(new SimpleMlp(), Config, logger: logger);

        model.UnmergeAdapter();

        Assert.Equal(["No adapter is merged; nothing to do."], logger.Lines);
    }

    [Fact]
    public void Setting_an_adapter_unmerges_what_is_merged()
    {
        using var scope = NewDisposeScope();
        var (mlp, input, logger) = (new SimpleMlp(), randn(5, 32), new RecordingLogger());
        using var model = LoraModel.Apply(mlp, Config, logger: logger);
        model.AddAdapter("second", Config);
        model.SetAdapter("second");
        var second = mlp.call(input);
        model.SetAdapter("default");
        model.MergeAdapter();

        model.SetAdapter("second");

        Assert.Empty(model.MergedAdapters);
        AssertClose(1e-5, second, mlp.call(input));
        Assert.Equal(["SetAdapter: merged adapters are unmerged first."], logger.Lines);
    }

    [Fact]
    public void Merged_and_unloaded_the_model_is_the_users_own_with_other_weights()
    {
        using var scope = NewDisposeScope();
        var (mlp, input) = (new SimpleMlp(), randn(5, 32));
        var names = mlp.named_parameters().Select(entry => entry.name).ToArray();
        var layers = mlp.named_children().Select(entry => entry.module).ToArray();
        mlp.get_parameter("fc2.weight")!.requires_grad = false;
        float[] adapted;
        SimpleMlp unloaded;
        using (var model = LoraModel.Apply(mlp, Config))
        {
            adapted = mlp.call(input).data<float>().ToArray();
            unloaded = (SimpleMlp)model.MergeAndUnload();
        }

        Assert.Same(mlp, unloaded);
        Assert.Equal(names, mlp.named_parameters().Select(entry => entry.name));
        Assert.Equal(layers, mlp.named_children().Select(entry => entry.module));
        Assert.Equal(["fc2.weight"], mlp.named_parameters().Where(entry => !entry.parameter.requires_grad).Select(entry => entry.name));
        AssertClose(1e-5, tensor(adapted, 5, 10), mlp.call(input));
        using var again = LoraModel.Apply(mlp, Config);
        Assert.Equal(["fc1", "fc3"], again.AdaptedLayers.Select(entry => entry.Name));
    }

    [Fact]
    public void Unloaded_the_model_answers_as_before_it_had_adapters()
    {
        using var scope = NewDisposeScope();
        var (mlp, input) = (new SimpleMlp(), randn(5, 32));
        var bare = mlp.call(input).data<float>().ToArray();
        var model = LoraModel.Apply(mlp, Config);

        Assert.Same(mlp, model.Unload());

        Assert.Equal(bare, mlp.call(input).data<float>().ToArray());
        Assert.All(mlp.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void A_model_in_another_type_is_unloaded_in_it()
    {
        using var scope = NewDisposeScope();
        var mlp = new SimpleMlp();
        using var model = LoraModel.Apply(mlp, Config);
        model.to(ScalarType.Float64);

        model.MergeAndUnload();

        Assert.All(mlp.parameters(), parameter => Assert.True(parameter.requires_grad));
        Assert.Equal(ScalarType.Float64, mlp.call(ones(1, 32, dtype: ScalarType.Float64)).dtype);
    }

    [Fact]
    public void What_is_merged_stays_in_an_unloaded_model()
    {
        using var scope = NewDisposeScope();
        var (mlp, input) = (new SimpleMlp(), randn(5, 32));
        using var model = LoraModel.Apply(mlp, Config);
        var adapted = mlp.call(input);
        model.MergeAdapter();

        model.Unload();

        AssertClose(1e-5, adapted, mlp.call(input));
    }

    [Fact]
    public void A_layer_under_two_names_is_merged_once_and_unloaded_in_both()
    {
        using var scope = NewDisposeScope();
        var (shared, input) = (nn.Linear(4, 4), randn(3, 4));
        var twice = nn.Sequential(("one", shared), ("two", shared));
        using var model = LoraModel.Apply(twice, new LoraConfig { R = 2, TargetModules = ["one"], InitLoraWeights = InitLoraWeights.Random });
        var adapted = twice.call(input);

        using var merged = (Sequential)model.MergeAndUnload();

        AssertClose(1e-5, adapted, merged.call(input));
        Assert.All(merged.named_children(), child => Assert.Same(shared, child.module));
    }

    private static void AssertClose(double tolerance, Tensor expected, Tensor actual)
    {
        var distance = (expected - actual).abs().max().item<float>();
        Assert.True(distance <= tolerance, $"off by {distance}");
    }
}
