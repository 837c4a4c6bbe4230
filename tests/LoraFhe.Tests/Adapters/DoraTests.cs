using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>DoRA: the change of a weight in its rows' directions, by A and B, and in their norms, by a magnitude of its own.</summary>
public sealed class DoraTests
{
    private static readonly LoraConfig Config = new() { R = 4, LoraAlpha = 6, UseDora = true, TargetModules = ["fc1", "fc3"] };

    public static TheoryData<InitLoraWeights> Starts =>
        [InitLoraWeights.KaimingUniform, InitLoraWeights.Gaussian, InitLoraWeights.Orthogonal, InitLoraWeights.Pissa, InitLoraWeights.Olora];

    [Theory]
    [MemberData(nameof(Starts))]
    public void A_fresh_adapter_leaves_the_model_as_it_was(InitLoraWeights start)
    {
        using var scope = NewDisposeScope();
        var (mlp, input) = (new SimpleMlp(), randn(5, 32));
        var before = mlp.call(input);
        var weight = mlp.get_parameter("fc1.weight")!.detach().clone();

        using var model = LoraModel.Apply(mlp, Config with { InitLoraWeights = start });

        AssertClose(before, mlp.call(input), 1e-5);
        AssertClose(linalg.vector_norm(weight, dims: [1]), model.AdaptedLayers[0].Layer.LoraMagnitudeVector("default")!, 1e-5);
        Assert.Equal(
            ["base_model.model.fc1.lora_A.default.weight", "base_model.model.fc1.lora_B.default.weight", "base_model.model.fc1.lora_magnitude_vector.default.weight"],
            model.named_parameters().Where(entry => entry.parameter.requires_grad).Select(entry => entry.name).Take(3));
    }

    [Fact]
    public void Answers_and_gradients_are_the_formulas_with_the_norms_held_constant()
    {
        using var scope = NewDisposeScope();
        var layer = new Conv1D(4, 3);
        var input = randn(5, 4, requires_grad: true);
        using var model = LoraModel.Apply(nn.Sequential(("fc1", layer)), Drawn with { UseRslora = true });
        var adapted = (LoraLinear)model.AdaptedLayers[0].Layer;
        Parameter[] trained = [adapted.LoraA["default"].weight, adapted.LoraB["default"].weight, adapted.LoraMagnitudeVector("default")!];

        var answer = adapted.call(input);
        var gradients = Gradients(answer, [.. trained, input]);

        var weight = layer.weight.t() + adapted.Adapters["default"].Scaling * trained[1].matmul(trained[0]);
        var changed = weight * (trained[2] / linalg.vector_norm(weight, dims: [1]).detach()).unsqueeze(1);
        var expected = nn.functional.linear(input, changed, layer.bias!);
        AssertClose(expected, answer, 1e-5);
        Assert.All(Gradients(expected, [.. trained, input]).Zip(gradients), pair => AssertClose(pair.First, pair.Second, 1e-5));
    }

    [Fact]
    public void An_embeddings_columns_are_what_has_norms()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(nn.Sequential(("fc1", nn.Embedding(7, 4))), Drawn);
        var adapted = (LoraEmbedding)model.AdaptedLayers[0].Layer;
        Parameter[] trained = [adapted.LoraEmbeddingA("default"), adapted.LoraEmbeddingB("default"), adapted.LoraMagnitudeVector("default")!];
        var ids = tensor(new long[] { 3, 0, 6, 3 }, 2, 2);

        var answer = adapted.call(ids);
        var gradients = Gradients(answer, trained);

        var table = adapted.BaseLayer.get_parameter("weight")! + adapted.Adapters["default"].Scaling * trained[1].matmul(trained[0]).t();
        var expected = (table * trained[2] / linalg.vector_norm(table, dims: [0]).detach())[ids];
        AssertClose(expected, answer, 1e-5);
        Assert.All(Gradients(expected, trained).Zip(gradients), pair => AssertClose(pair.First, pair.Second, 1e-4));
        Assert.Equal([4L], trained[2].shape);
    }

    [Fact]
    public void In_training_dropout_acts_on_the_weights_input_too()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(nn.Sequential(("fc1", nn.Linear(4, 3))), Drawn with { LoraDropout = 0.5 });
        var adapted = (LoraLinear)model.AdaptedLayers[0].Layer;
        var input = randn(6, 4);
        adapted.train();
        manual_seed(5);
        var answer = adapted.call(input);

        manual_seed(5);
        var dropped = nn.functional.dropout(input, 0.5);
        var linear = (Linear)adapted.BaseLayer;
        var product = adapted.LoraB["default"].weight.matmul(adapted.LoraA["default"].weight) * adapted.Adapters["default"].Scaling;
        var factor = adapted.LoraMagnitudeVector("default")! / linalg.vector_norm(linear.weight + product, dims: [1]);
        var expected = linear.call(input) + (factor - 1) * dropped.matmul(linear.weight.t()) + factor * dropped.matmul(product.t());
        AssertClose(expected, answer, 1e-5);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Merged_the_model_answers_as_with_the_adapters_and_unmerged_as_before(bool safeMerge)
    {
        using var scope = NewDisposeScope();
        var (mlp, input) = (new SimpleMlp(), randn(5, 32));
        using var model = LoraModel.Apply(mlp, Config with { InitLoraWeights = InitLoraWeights.Random });
        model.AddAdapter("plain", new LoraConfig { R = 2, TargetModules = ["fc1", "fc2"], InitLoraWeights = InitLoraWeights.Random });
        Move(model);
        var (answer, weight) = (mlp.call(input), model.AdaptedLayers[0].Layer.BaseLayer.get_parameter("weight")!.clone());

        model.MergeAdapter(safeMerge, ["default"]);
        AssertClose(answer, mlp.call(input), 1e-5);
        model.MergeAdapter(safeMerge, ["plain"]);
        model.UnmergeAdapter();

        AssertClose(weight, model.AdaptedLayers[0].Layer.BaseLayer.get_parameter("weight")!, 1e-6);
        AssertClose(answer, mlp.call(input), 1e-5);
        model.MergeAndUnload(safeMerge);
        AssertClose(answer, mlp.call(input), 1e-5);
    }

    [Fact]
    public void A_tied_weight_is_unmerged_in_the_opposite_order()
    {
        using var scope = NewDisposeScope();
        var weight = new Parameter(randn(6, 6));
        var before = weight.detach().clone();
        using var model = LoraModel.Apply(nn.Sequential(("fc1", nn.Linear(weight)), ("fc3", nn.Linear(weight))), Config with { InitLoraWeights = InitLoraWeights.Random });
        Move(model);

        model.MergeAdapter();
        model.UnmergeAdapter();

        AssertClose(before, weight, 1e-5);
    }

    [Fact]
    public void A_merge_that_would_not_be_finite_changes_nothing()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        using (no_grad())
        {
            model.AdaptedLayers[1].Layer.LoraMagnitudeVector("default")!.fill_(float.PositiveInfinity);
        }

        var before = AdapterState.Of(model);
        var error = Assert.Throws<NotFiniteNumberException>(() => model.MergeAdapter(safeMerge: true));

        Assert.StartsWith("Layer 'fc3': with adapter 'default' merged, a weight would not be finite.", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, AdapterState.Of(model));
    }

    [Theory]
    [InlineData(".default.weight")]
    [InlineData(".default")]
    [InlineData(".weight")]
    public void It_is_written_under_pefts_key_and_read_from_those_of_other_ages(string end)
    {
        using var folder = new TemporaryFolder();
        using var saved = LoraModel.Apply(new SimpleMlp(), Config);
        Move(saved);
        saved.SavePretrained(folder.Path);
        var path = folder.At("adapter_model.safetensors");
        List<SafetensorsTensor> tensors;
        using (var file = SafetensorsFile.Open(path))
        {
            Assert.Contains(file.Entries, entry => entry.Name == "base_model.model.fc1.lora_magnitude_vector");
            tensors = [.. file.Entries.Select(entry => SafetensorsTensor.FromSingles(
                entry.Name.EndsWith("vector", StringComparison.Ordinal) ? entry.Name + end : entry.Name, [.. entry.Shape], file.ReadSingles(entry.Name)))];
        }

        SafetensorsWriter.Write(path, tensors, new Dictionary<string, string>());
        using var loaded = LoraModel.FromPretrained(new SimpleMlp(), folder.Path);

        Assert.True(loaded.Config.UseDora);
        Assert.Equal(Values(saved), Values(loaded));

        static float[] Values(LoraModel model) => model.AdaptedLayers[0].Layer.LoraMagnitudeVector("default")!.data<float>().ToArray();
    }

    [Fact]
    public void Converted_to_plain_LoRA_of_the_model_as_it_was_it_keeps_its_magnitudes()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var (mlp, input) = (new SimpleMlp(), randn(5, 32));
        var bare = Copy(mlp);
        using var model = LoraModel.Apply(mlp, Config with { InitLoraWeights = InitLoraWeights.Pissa });
        Move(model);

        model.SavePretrained(folder.Path, convertToLora: true);

        using var converted = LoraModel.FromPretrained(bare, folder.Path);
        AssertClose(mlp.call(input), bare.call(input), 1e-4);
    }

    [Fact]
    public void Disabled_deleted_and_of_another_adapter_it_does_not_act()
    {
        using var scope = NewDisposeScope();
        var (mlp, input) = (new SimpleMlp(), randn(5, 32));
        var bare = mlp.call(input);
        using var model = LoraModel.Apply(mlp, Config);
        model.AddAdapter("plain", new LoraConfig { R = 2, TargetModules = ["fc1"] });
        Move(model);
        Assert.False(bare.allclose(mlp.call(input), atol: 1e-3));

        using (model.DisableAdapter())
        {
            AssertClose(bare, mlp.call(input), 0);
        }

        model.SetAdapter("plain");
        AssertClose(bare, mlp.call(input), 0);
        Assert.Null(model.AdaptedLayers[0].Layer.LoraMagnitudeVector("plain"));
        model.DeleteAdapter("default");
        Assert.DoesNotContain(model.named_parameters(), entry => entry.name.Contains("magnitude", StringComparison.Ordinal));
    }

    [Fact]
    public void A_model_in_half_precision_answers_in_its_own_type_with_magnitudes_in_single()
    {
        using var scope = NewDisposeScope();
        var (mlp, input) = (new SimpleMlp().to(ScalarType.BFloat16), randn(5, 32).to(ScalarType.BFloat16));
        var before = mlp.call(input);
        using var model = LoraModel.Apply(mlp, Config);

        var answer = mlp.call(input);

        Assert.Equal((ScalarType.BFloat16, ScalarType.Float32), (answer.dtype, model.AdaptedLayers[0].Layer.LoraMagnitudeVector("default")!.dtype));
        AssertClose(before.to(float32), answer.to(float32), 0.05);
        model.MergeAdapter();
        AssertClose(answer.to(float32), mlp.call(input).to(float32), 0.05);
    }

    [Fact]
    public void A_layer_in_a_field_typed_Linear_has_it_too()
    {
        using var scope = NewDisposeScope();
        var (mlp, input) = (new Training.TypedMlp(), randn(5, 6));
        var before = mlp.call(input);
        using var model = LoraModel.Apply(mlp, Config with { TargetModules = TargetModules.AllLinear });
        AssertClose(before, mlp.call(input), 1e-5);
        Move(model);
        var moved = mlp.call(input);

        LoraTraining.ReplaceLayersWithCustom(model, 0);

        Assert.False(before.allclose(moved, atol: 1e-3));
        AssertClose(moved, mlp.call(input), 1e-5);
    }

    private static LoraConfig Drawn => new() { R = 2, LoraAlpha = 3, UseDora = true, TargetModules = ["fc1"], InitLoraWeights = InitLoraWeights.Random };

    // As if it had been trained.
    private static void Move(LoraModel model)
    {
        using var noGradients = no_grad();
        foreach (var parameter in model.named_parameters().Where(entry => entry.name.Contains(".default", StringComparison.Ordinal)).Select(entry => entry.parameter))
        {
            parameter.add_(randn_like(parameter) * 0.1);
        }
    }

    private static SimpleMlp Copy(SimpleMlp mlp)
    {
        using var noGradients = no_grad();
        var copy = new SimpleMlp();
        foreach (var (name, parameter) in copy.named_parameters())
        {
            parameter.copy_(mlp.get_parameter(name)!);
        }

        return copy;
    }

    // Of a sum that weighs every element otherwise.
    private static List<Tensor> Gradients(Tensor answer, IReadOnlyList<Tensor> of)
    {
        (answer * arange(1, answer.numel() + 1, ScalarType.Float32).view(answer.shape)).sum().backward();
        var gradients = of.Select(tensor => tensor.grad!.clone()).ToList();
        foreach (var tensor in of)
        {
            tensor.grad!.zero_();
        }

        return gradients;
    }

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        var distance = (expected - actual).abs().max().to(float64).item<double>();
        Assert.True(distance <= tolerance, $"off by {distance}");
    }
}
