using LoraFhe.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>Several adapters on one model, as peft's users keep them: <c>add_adapter</c>, <c>load_adapter</c>, <c>set_adapter</c>, <c>delete_adapter</c>.</summary>
public sealed class NamedAdaptersTests
{
    private static readonly LoraConfig First = new() { R = 2, LoraAlpha = 6, TargetModules = ["fc1", "fc3"], InitLoraWeights = InitLoraWeights.Random };
    private static readonly LoraConfig Second = new() { R = 4, LoraAlpha = 2, TargetModules = ["fc3", "fc4"], InitLoraWeights = InitLoraWeights.Random };

    [Fact]
    public void The_parameters_of_each_adapter_have_pefts_names()
    {
        using var model = Both();

        Assert.Equal(
            [
                "base_model.model.fc1.base_layer.weight", "base_model.model.fc1.base_layer.bias",
                "base_model.model.fc1.lora_A.default.weight", "base_model.model.fc1.lora_B.default.weight",
                "base_model.model.fc2.weight", "base_model.model.fc2.bias",
                "base_model.model.fc3.base_layer.weight", "base_model.model.fc3.base_layer.bias",
                "base_model.model.fc3.lora_A.default.weight", "base_model.model.fc3.lora_A.second.weight",
                "base_model.model.fc3.lora_B.default.weight", "base_model.model.fc3.lora_B.second.weight",
                "base_model.model.fc4.base_layer.weight", "base_model.model.fc4.base_layer.bias",
                "base_model.model.fc4.lora_A.second.weight", "base_model.model.fc4.lora_B.second.weight",
            ],
            model.named_parameters().Select(entry => entry.name));
        Assert.Equal(["default", "second"], model.AdapterNames);
        Assert.Equal(["fc1", "fc3", "fc4"], model.AdaptedLayers.Select(entry => entry.Name));
        Assert.Equal([["default"], ["default", "second"], ["second"]], model.AdaptedLayers.Select(entry => entry.Layer.Adapters.Keys));
        Assert.Equal(new LayerAdapter(4, 2, 0.5, 0, UseDora: false), model.AdaptedLayers[1].Layer.Adapters["second"]);
    }

    [Fact]
    public void The_first_adapter_can_have_another_name()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), First, adapterName: "poems");

        Assert.Equal("poems", model.ActiveAdapter);
        Assert.Contains(model.named_parameters(), entry => entry.name == "base_model.model.fc1.lora_A.poems.weight");
    }

    [Fact]
    public void An_added_adapter_is_neither_active_nor_trained_until_it_is_set()
    {
        using var scope = NewDisposeScope();
        var input = randn(5, 32);
        using var model = LoraModel.Apply(new SimpleMlp(), First, seed: 1);
        var before = Answer(model, input);

        model.AddAdapter("second", Second, seed: 2);

        Assert.Equal("default", model.ActiveAdapter);
        Assert.Same(model.PeftConfig["default"], model.Config);
        Assert.Equal(before, Answer(model, input));
        Assert.Equal(["fc1", "fc3"], Trained(model, "default"));
        Assert.Empty(Trained(model, "second"));

        model.SetAdapter("second");

        Assert.Equal("second", model.ActiveAdapter);
        Assert.Same(model.PeftConfig["second"], model.Config);
        Assert.NotEqual(before, Answer(model, input));
        Assert.Empty(Trained(model, "default"));
        Assert.Equal(["fc3", "fc4"], Trained(model, "second"));
    }

    [Fact]
    public void Each_adapter_answers_as_if_it_were_alone()
    {
        using var scope = NewDisposeScope();
        var input = randn(5, 32);
        var (mlp, twin) = (new SimpleMlp(), new SimpleMlp());
        twin.load_state_dict(mlp.state_dict());
        using var alone = LoraModel.Apply(twin, Second, seed: 2);
        using var model = LoraModel.Apply(mlp, First, seed: 1);
        var first = Answer(model, input);
        model.AddAdapter("second", Second, seed: 2);

        model.SetAdapter("second");

        Assert.Equal(Answer(alone, input), Answer(model, input));
        model.SetAdapter("default");
        Assert.Equal(first, Answer(model, input));
    }

    [Fact]
    public void An_adapter_set_for_inference_is_frozen()
    {
        using var model = Both();

        model.SetAdapter("second", inferenceMode: true);

        Assert.Empty(model.TrainableParameters());
    }

    [Fact]
    public void Training_changes_the_active_adapter_only()
    {
        using var scope = NewDisposeScope();
        using var model = Both();
        model.SetAdapter("second");
        var before = model.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter.clone());
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);

        ((SimpleMlp)model.Model).call(randn(5, 32)).square().mean().backward();
        optimizer.step();

        Assert.Equal(
            ["base_model.model.fc3.lora_A.second.weight", "base_model.model.fc3.lora_B.second.weight",
                "base_model.model.fc4.lora_A.second.weight", "base_model.model.fc4.lora_B.second.weight"],
            model.named_parameters().Where(entry => !entry.parameter.equal(before[entry.name]).all().item<bool>()).Select(entry => entry.name));
    }

    [Fact]
    public void A_deleted_adapter_leaves_the_layers_it_had_alone_as_they_were()
    {
        using var scope = NewDisposeScope();
        var input = randn(5, 32);
        var mlp = new SimpleMlp();
        var original = mlp.named_children().Single(child => child.name == "fc4").module;
        using var model = LoraModel.Apply(mlp, First, seed: 1);
        var names = model.named_parameters().Select(entry => entry.name).ToArray();
        var before = Answer(model, input);
        model.AddAdapter("second", Second, seed: 2);

        model.DeleteAdapter("second");

        Assert.Equal(["default"], model.AdapterNames);
        Assert.Equal(names, model.named_parameters().Select(entry => entry.name));
        Assert.Same(original, mlp.named_children().Single(child => child.name == "fc4").module);
        Assert.Equal(before, Answer(model, input));
        Assert.Equal(["fc1", "fc3"], Trained(model, "default"));
    }

    [Fact]
    public void With_the_active_adapter_deleted_the_first_of_the_others_is_active()
    {
        using var scope = NewDisposeScope();
        var logger = new RecordingLogger();
        using var model = LoraModel.Apply(new SimpleMlp(), First, seed: 1, logger);
        model.AddAdapter("zebra", Second, seed: 2);
        model.AddAdapter("ape", Second with { TargetModules = ["fc2"] }, seed: 3);

        model.DeleteAdapter("default");

        Assert.Equal("ape", model.ActiveAdapter);
        Assert.Equal(["Adapter 'default' was active and is deleted; 'ape' is active now."], logger.Lines);
        Assert.Equal(["fc2"], Trained(model, "ape"));
        Assert.Empty(Trained(model, "zebra"));
    }

    [Fact]
    public void Default_is_saved_in_the_folder_and_the_others_in_folders_of_their_names()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var input = randn(5, 32);
        using var model = Both();
        var state = model.Model.state_dict().ToDictionary(entry => entry.Key.Replace(".base_layer.", ".", StringComparison.Ordinal), entry => entry.Value);

        model.SavePretrained(folder.Path);

        Assert.Equal(
            ["adapter_config.json", "adapter_model.safetensors", "second/adapter_config.json", "second/adapter_model.safetensors"],
            Directory.EnumerateFiles(folder.Path, "*", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(folder.Path, file).Replace('\\', '/')).Order(StringComparer.Ordinal));
        var bare = new SimpleMlp();
        bare.load_state_dict(state, strict: false);
        using var loaded = LoraModel.FromPretrained(bare, folder.Path);
        loaded.LoadAdapter(folder.At("second"), "again");
        Assert.Equal(Answer(model, input), Answer(loaded, input));
        loaded.SetAdapter("again");
        model.SetAdapter("second");
        Assert.Equal(Answer(model, input), Answer(loaded, input));
    }

    [Fact]
    public void One_adapter_can_be_saved_alone()
    {
        using var folder = new TemporaryFolder();
        using var model = Both();

        model.SavePretrained(folder.Path, ["second"]);

        Assert.Equal(["second"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_layer_in_training_gets_an_adapter_in_training()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new SimpleMlp(), First);
        model.train();

        model.AddAdapter("second", First with { LoraDropout = 0.5 });
        model.SetAdapter("second");

        var layer = model.AdaptedLayers[0].Layer;
        Assert.NotEqual(layer.call(ones(1, 32)).data<float>().ToArray(), layer.call(ones(1, 32)).data<float>().ToArray());
        model.eval();
        Assert.Equal(layer.call(ones(1, 32)).data<float>().ToArray(), layer.call(ones(1, 32)).data<float>().ToArray());
    }

    [Fact]
    public void A_model_with_several_adapters_moves_as_a_whole()
    {
        using var scope = NewDisposeScope();
        using var model = Both();
        model.SetAdapter("second");

        model.to(ScalarType.Float64);

        Assert.All(model.named_parameters(), entry => Assert.Equal(ScalarType.Float64, entry.parameter.dtype));
        Assert.Equal(["fc3", "fc4"], Trained(model, "second"));
        Assert.Equal(ScalarType.Float64, ((SimpleMlp)model.Model).call(ones(1, 32, dtype: ScalarType.Float64)).dtype);
    }

    [Fact]
    public void The_order_of_a_second_all_linear_is_that_of_the_bare_model()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), First);

        model.AddAdapter("all", new LoraConfig { R = 1, TargetModules = TargetModules.AllLinear });

        Assert.Equal(["fc1", "fc2", "fc3", "fc4"], model.PeftConfig["all"].TargetModules!.Names);
    }

    private static LoraModel Both()
    {
        var model = LoraModel.Apply(new SimpleMlp(), First, seed: 1);
        model.AddAdapter("second", Second, seed: 2);
        return model;
    }

    private static float[] Answer(LoraModel model, Tensor input) => ((SimpleMlp)model.Model).call(input).data<float>().ToArray();

    private static IEnumerable<string> Trained(LoraModel model, string adapter) => model.AdaptedLayers
        .Where(entry => entry.Layer.Adapters.ContainsKey(adapter) && entry.Layer.A(adapter).requires_grad && entry.Layer.B(adapter).requires_grad)
        .Select(entry => entry.Name);
}
