using LoraFhe.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>What cannot be done with a model's adapters is refused by name, and changes nothing.</summary>
public sealed class AdapterMistakesTests
{
    private static readonly LoraConfig Config = new() { R = 2, TargetModules = ["fc1", "fc3"], InitLoraWeights = InitLoraWeights.Random };

    public static TheoryData<string, Type, string> Refused => new()
    {
        { "set unknown", typeof(ArgumentException), "The model has no adapter 'third'; it has 'default', 'second'." },
        { "delete unknown", typeof(ArgumentException), "The model has no adapter 'third'; it has 'default', 'second'." },
        { "merge unknown", typeof(ArgumentException), "The model has no adapter 'third'; it has 'default', 'second'." },
        { "unload unknown", typeof(ArgumentException), "The model has no adapter 'third'; it has 'default', 'second'." },
        { "save unknown", typeof(ArgumentException), "The model has no adapter 'third'; it has 'default', 'second'." },
        { "add taken", typeof(ArgumentException), "The model has an adapter 'second' already. Delete it first, or give another name." },
        { "load taken", typeof(ArgumentException), "The model has an adapter 'default' already. Delete it first, or give another name." },
        { "add faulty", typeof(ArgumentException), "R is 0; a rank is at least 1." },
        { "add unmatched", typeof(ArgumentException), "No linear layer of 'SimpleMlp' matches target modules 'fc9'; it has 'fc1', 'fc2', 'fc3', 'fc4'." },
        { "add for another task", typeof(ArgumentException), "TaskType is SeqCls; the model's adapter 'default' is for CausalLm. Put it on a model of its own." },
        { "add second bias", typeof(ArgumentException), "Adapter 'default' trains biases already, and the model has each only once. Set Bias to None." },
        { "load missing", typeof(FileNotFoundException), "Folder 'nowhere' has no 'adapter_config.json'." },
        { "load of another model", typeof(InvalidDataException), "adapter_model.safetensors: 'base_model.model.fc1.lora_A.weight' is [2, 16]; the layer needs [2, 32]." },
        { "load of other layers", typeof(InvalidDataException), "adapter_config.json: No linear layer of 'SimpleMlp' matches target modules 'q_proj'" },
        { "load of another scaling", typeof(InvalidDataException), "adapter_config.json: the adapter of 'fc1' is scaled by 32; the model's by 4. Load it under a name of its own." },
        { "apply again", typeof(InvalidOperationException), "'SimpleMlp' has a LoRA adapter already, at 'fc1'. Apply one to a model without." },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_mistake_is_named_and_changes_nothing(string mistake, Type exception, string expected)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var (mlp, input) = (new SimpleMlp(), randn(5, 32));
        using var model = LoraModel.Apply(mlp, Config with { TaskType = TaskType.CausalLm, Bias = LoraBias.All }, seed: 1);
        model.AddAdapter("second", Config with { TargetModules = ["fc3", "fc4"] }, seed: 2);
        var (state, answer) = (AdapterState.Of(model), mlp.call(input).data<float>().ToArray());

        var error = Assert.Throws(exception, () => Make(mistake, model, folder));

        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(state, AdapterState.Of(model));
        Assert.Equal(answer, mlp.call(input).data<float>().ToArray());
        Assert.Empty(Directory.EnumerateFiles(folder.Path));
    }

    [Fact]
    public void A_folder_that_has_no_adapter_is_told_in_full_for_a_program_may_run_elsewhere_than_its_author_thinks()
    {
        using var mlp = new SimpleMlp();

        var error = Assert.Throws<FileNotFoundException>(() => LoraModel.FromPretrained(mlp, "no/such/folder"));

        Assert.Contains($"'{Path.GetFullPath("no/such/folder")}'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.b")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("a\\b")]
    [InlineData("c:")]
    [InlineData("line\nbreak")]
    [InlineData("base_layer")]
    [InlineData("lora_A")]
    [InlineData("forward_module")]
    public void A_name_that_no_module_and_folder_can_have_is_refused(string name)
    {
        using var mlp = new SimpleMlp();
        using var model = LoraModel.Apply(new SimpleMlp(), Config);

        Assert.Equal("adapterName", Assert.Throws<ArgumentException>(() => LoraModel.Apply(mlp, Config, adapterName: name)).ParamName);
        var error = Assert.Throws<ArgumentException>(() => model.AddAdapter(name, Config));
        Assert.StartsWith($"'{name}' cannot be an adapter's name", error.Message, StringComparison.Ordinal);
        Assert.Equal(["default"], model.AdapterNames);
        Assert.DoesNotContain(ModuleSurgery.Descendants(mlp), place => place.Module is LoraLayer);
    }

    [Theory]
    [InlineData("my-lora")]
    [InlineData("weight")]
    [InlineData("fc1")]
    [InlineData("Gedichte 2")]
    public void Other_names_are_fine(string name)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = LoraModel.Apply(new SimpleMlp(), Config, seed: 1, adapterName: name);
        model.SavePretrained(folder.Path);

        using var loaded = LoraModel.FromPretrained(new SimpleMlp(), folder.At(name), adapterName: name);

        Assert.Equal(model.AdaptedLayers[1].Layer.A(name).data<float>().ToArray(), loaded.AdaptedLayers[1].Layer.A(name).data<float>().ToArray());
    }

    [Fact]
    public void The_last_adapter_cannot_be_deleted()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), Config);

        var error = Assert.Throws<InvalidOperationException>(() => model.DeleteAdapter("default"));

        Assert.Equal("'default' is the model's last adapter. Unload gives the bare model back, DisableAdapters its answers.", error.Message);
        Assert.Equal(4, model.TrainableParameters().Count);
    }

    [Fact]
    public void A_merged_adapter_is_neither_deleted_nor_overwritten()
    {
        using var folder = new TemporaryFolder();
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        model.AddAdapter("second", Config);
        model.SavePretrained(folder.Path);
        model.MergeAdapter();

        Assert.Equal(
            "Adapter 'default' is merged. Call UnmergeAdapter before DeleteAdapter.",
            Assert.Throws<InvalidOperationException>(() => model.DeleteAdapter("default")).Message);
        Assert.Equal(
            "Adapter 'default' is merged. Call UnmergeAdapter before LoadAdapter.",
            Assert.Throws<InvalidOperationException>(() => model.LoadAdapter(folder.Path)).Message);
        model.DeleteAdapter("second");
        Assert.Equal(["default"], model.MergedAdapters);
    }

    [Theory]
    [InlineData(float.NaN, false)]
    [InlineData(float.PositiveInfinity, true)]
    public void A_safe_merge_that_would_not_be_finite_changes_no_layer(float value, bool unload)
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        using (no_grad())
        {
            model.AdaptedLayers[1].Layer.B()[3, 1] = value;
        }

        var before = AdapterState.Of(model);

        var error = Assert.Throws<NotFiniteNumberException>(() => _ = Merge(model, unload));

        Assert.Equal("Layer 'fc3': with adapter 'default' merged, a weight would not be finite. Nothing was merged.", error.Message);
        Assert.Equal(before, AdapterState.Of(model));
        Assert.Empty(model.MergedAdapters);

        static int Merge(LoraModel model, bool unload)
        {
            if (unload)
            {
                model.MergeAndUnload(safeMerge: true);
            }

            model.MergeAdapter(safeMerge: true);
            return 0;
        }
    }

    [Fact]
    public void What_overflows_half_precision_is_not_merged_safely()
    {
        using var scope = NewDisposeScope();
        using var model = LoraModel.Apply(new SimpleMlp().to(ScalarType.Float16), Config);
        using (no_grad())
        {
            model.AdaptedLayers[0].Layer.B().fill_(1e6f);
        }

        var error = Assert.Throws<NotFiniteNumberException>(() => model.MergeAdapter(safeMerge: true));

        Assert.StartsWith("Layer 'fc1': with adapter 'default' merged", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_disabled_adapter_is_not_merged()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        model.DisableAdapters();

        var error = Assert.Throws<InvalidOperationException>(() => model.MergeAdapter());

        Assert.Equal("The model's adapters are disabled. Call EnableAdapters before MergeAdapter.", error.Message);
        Assert.Empty(model.MergedAdapters);
    }

    [Fact]
    public void A_base_layer_without_a_weight_is_not_merged_into()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        var layer = model.AdaptedLayers[1].Layer;
        using var original = layer.BaseLayer;
        ModuleSurgery.Replace(layer, "base_layer", nn.Identity());
        var before = model.AdaptedLayers[0].Layer.BaseLayer.get_parameter("weight")!.data<float>().ToArray();

        var error = Assert.Throws<InvalidOperationException>(() => model.MergeAdapter());

        Assert.Equal("Layer 'fc3' has no 'weight' that the adapter could be merged into. Nothing was merged.", error.Message);
        Assert.Equal(before, model.AdaptedLayers[0].Layer.BaseLayer.get_parameter("weight")!.data<float>().ToArray());
    }

    [Fact]
    public void An_unloaded_model_says_so()
    {
        using var mlp = new SimpleMlp();
        using var model = LoraModel.Apply(mlp, Config);
        model.Unload();

        Action[] uses = [() => _ = model.Model, () => model.Unload(), () => model.MergeAdapter(), () => model.AddAdapter("second", Config)];
        foreach (var use in uses)
        {
            Assert.Equal(
                "The model was unloaded; use the module that Unload or MergeAndUnload returned.",
                Assert.Throws<InvalidOperationException>(use).Message);
        }

        Assert.Empty(model.AdaptedLayers);
    }

    private static void Make(string mistake, LoraModel model, TemporaryFolder folder)
    {
        switch (mistake)
        {
            case "set unknown":
                model.SetAdapter("third");
                break;
            case "delete unknown":
                model.DeleteAdapter("third");
                break;
            case "merge unknown":
                model.MergeAdapter(adapterNames: ["default", "third"]);
                break;
            case "unload unknown":
                model.MergeAndUnload(adapterNames: ["third"]);
                break;
            case "save unknown":
                model.SavePretrained(folder.Path, ["default", "third"]);
                break;
            case "add taken":
                model.AddAdapter("second", Config);
                break;
            case "load taken":
                model.LoadAdapter(folder.Path, "default");
                break;
            case "add faulty":
                model.AddAdapter("third", Config with { R = 0 });
                break;
            case "add unmatched":
                model.AddAdapter("third", Config with { TargetModules = ["fc9"] });
                break;
            case "add for another task":
                model.AddAdapter("third", Config with { TaskType = TaskType.SeqCls });
                break;
            case "add second bias":
                model.AddAdapter("third", Config with { Bias = LoraBias.LoraOnly });
                break;
            case "load missing":
                model.LoadAdapter(folder.At("nowhere"), "third");
                break;
            case "load of another model":
                model.LoadAdapter(Saved(new SimpleMlp(inputs: 16), Config, folder), "third");
                break;
            case "load of other layers":
                model.LoadAdapter(Saved(nn.Sequential(("q_proj", nn.Linear(4, 4))), Config with { TargetModules = ["q_proj"] }, folder), "third");
                break;
            case "load of another scaling":
                model.LoadAdapter(Saved(new SimpleMlp(), Config with { LoraAlpha = 64, Bias = LoraBias.All }, folder));
                break;
            case "apply again":
                LoraModel.Apply(model.Model, Config);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(mistake), mistake, "no such mistake");
        }
    }

    private static string Saved(nn.Module module, LoraConfig config, TemporaryFolder folder)
    {
        using var model = LoraModel.Apply(module, config, adapterName: "other");
        model.SavePretrained(folder.Path);
        return folder.At("other");
    }
}
