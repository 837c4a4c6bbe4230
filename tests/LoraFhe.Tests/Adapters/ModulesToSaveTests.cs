using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>peft's <c>modules_to_save</c>: modules trained whole beside adapters.</summary>
public sealed class ModulesToSaveTests
{
    private static readonly LoraConfig Config = new() { R = 2, TargetModules = ["fc1", "fc2"], ModulesToSave = ["fc4"] };

    [Fact]
    public void A_copy_is_trained_under_pefts_name_and_the_original_stays()
    {
        using var scope = NewDisposeScope();
        var mlp = new SimpleMlp();
        var input = randn(3, 32);
        var before = mlp.call(input);
        using var model = LoraModel.Apply(mlp, Config);

        Assert.Equal(
            ["base_model.model.fc4.modules_to_save.default.weight", "base_model.model.fc4.modules_to_save.default.bias"],
            model.named_parameters().Where(entry => entry.parameter.requires_grad && !entry.name.Contains("lora", StringComparison.Ordinal)).Select(entry => entry.name));
        Assert.Contains(model.named_parameters(), entry => entry.name == "base_model.model.fc4.original_module.weight" && !entry.parameter.requires_grad);
        Assert.Equal(["fc1", "fc2"], model.AdaptedLayers.Select(layer => layer.Name));
        Assert.Equal(before.data<float>().ToArray(), mlp.call(input).data<float>().ToArray());

        mlp.call(input).sum().backward();
        Assert.NotNull(Wrapper(model).ModulesToSave["default"].get_parameter("weight")!.grad);
        Assert.Null(Wrapper(model).OriginalModule.get_parameter("weight")!.grad);
    }

    [Fact]
    public void Disabled_the_original_answers_and_enabled_the_copy()
    {
        using var scope = NewDisposeScope();
        var mlp = new SimpleMlp();
        var input = randn(3, 32);
        var before = mlp.call(input).data<float>().ToArray();
        using var model = LoraModel.Apply(mlp, Config);
        Add(Wrapper(model).ModulesToSave["default"], 1);
        var trained = mlp.call(input).data<float>().ToArray();

        Assert.NotEqual(before, trained);
        using (model.DisableAdapter())
        {
            Assert.Equal(before, mlp.call(input).data<float>().ToArray());
        }

        Assert.Equal(trained, mlp.call(input).data<float>().ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Unloaded_the_original_is_back_and_merged_the_copy_stays(bool merge)
    {
        using var scope = NewDisposeScope();
        var mlp = new SimpleMlp();
        var original = mlp.get_parameter("fc4.weight")!.detach().clone();
        var model = LoraModel.Apply(mlp, Config);
        Add(Wrapper(model).ModulesToSave["default"], 1);

        var bare = merge ? model.MergeAndUnload() : model.Unload();

        var weight = bare.get_parameter("fc4.weight")!;
        Assert.True((weight - original - (merge ? 1 : 0)).abs().max().item<float>() < 1e-6f);
        Assert.True(weight.requires_grad);
        Assert.Equal([3L, 10], ((SimpleMlp)bare).call(randn(3, 32)).shape);
    }

    [Fact]
    public void Merged_adapters_keep_their_copy_when_the_rest_is_unloaded()
    {
        using var scope = NewDisposeScope();
        var model = LoraModel.Apply(new SimpleMlp(), Config);
        Add(Wrapper(model).ModulesToSave["default"], 1);
        var trained = Wrapper(model).ModulesToSave["default"].get_parameter("weight")!.detach().clone();

        model.MergeAdapter();
        var bare = model.Unload();

        Assert.Equal(trained.data<float>().ToArray(), bare.get_parameter("fc4.weight")!.data<float>().ToArray());
    }

    [Fact]
    public void Each_adapter_has_a_copy_of_its_own_and_one_may_have_none()
    {
        using var scope = NewDisposeScope();
        var mlp = new SimpleMlp();
        var input = randn(3, 32);
        using var model = LoraModel.Apply(mlp, Config);
        var before = mlp.call(input).data<float>().ToArray();
        model.AddAdapter("second", Config);
        model.AddAdapter("without", Config with { ModulesToSave = null });
        Add(Wrapper(model).ModulesToSave["second"], 1);

        Assert.Equal(before, mlp.call(input).data<float>().ToArray());
        model.SetAdapter("second");
        Assert.NotEqual(before, mlp.call(input).data<float>().ToArray());
        Assert.Equal(2 * 2 + 2, model.TrainableParameters().Count);
        model.SetAdapter("without");
        Assert.Equal(before, mlp.call(input).data<float>().ToArray());
        Assert.Equal(2 * 2, model.TrainableParameters().Count);

        model.DeleteAdapter("second");
        Assert.Equal(["default"], Wrapper(model).ModulesToSave.Keys);
        model.DeleteAdapter("default");
        Assert.IsType<Linear>(ModuleSurgery.Descendants(mlp).Single(place => place.Name == "fc4").Module);
        Assert.Equal(before, mlp.call(input).data<float>().ToArray());
    }

    [Fact]
    public void A_tied_heads_copy_is_its_own_and_merging_it_leaves_the_embedding()
    {
        using var scope = NewDisposeScope();
        var embedding = nn.Embedding(10, 4);
        var table = embedding.weight!.detach().clone();
        var tree = nn.Sequential(("wte", embedding), ("fc", nn.Linear(4, 4)), ("lm_head", nn.Linear(embedding.weight!)));
        var model = LoraModel.Apply(tree, new LoraConfig { R = 1, TargetModules = ["fc"], ModulesToSave = ["lm_head"] });
        Assert.Equal((8 + 40, 40 + 20 + 8 + 40), model.GetNbTrainableParameters());
        Add(Wrapper(model).ModulesToSave["default"], 1);

        model.MergeAndUnload();
        GC.Collect();

        Assert.Equal(table.data<float>().ToArray(), embedding.weight!.data<float>().ToArray());
        Assert.Equal([2L, 10], tree.call(tensor([1L, 2])).shape);
    }

    [Theory]
    [InlineData(TaskType.SeqCls, "score")]
    [InlineData(TaskType.TokenCls, "classifier")]
    [InlineData(TaskType.QuestionAns, "qa_outputs")]
    public void A_tasks_head_is_trained_whole_without_being_named(TaskType task, string head)
    {
        using var model = LoraModel.Apply(
            nn.Sequential(("fc", nn.Linear(4, 4)), (head, nn.Linear(4, 2))), new LoraConfig { R = 1, TargetModules = TargetModules.AllLinear, TaskType = task });

        Assert.Contains(head, model.Config.ModulesToSave!);
        Assert.Equal(["fc"], model.AdaptedLayers.Select(layer => layer.Name));
        Assert.Contains(model.named_parameters(), entry => entry.name == $"base_model.model.{head}.modules_to_save.default.weight" && entry.parameter.requires_grad);
    }

    [Fact]
    public void Names_match_by_their_end_as_in_peft_and_what_is_trained_whole_is_no_target()
    {
        using var model = LoraModel.Apply(
            nn.Sequential(("fc", nn.Linear(4, 4)), ("in_norm", nn.LayerNorm(4)), ("norm", nn.LayerNorm(4, bias: false)), ("proj", new Conv1D(4, 4))),
            new LoraConfig { R = 1, TargetModules = ["fc", "proj"], ModulesToSave = ["norm", "proj"] });

        Assert.Equal(["fc"], model.AdaptedLayers.Select(layer => layer.Name));
        Assert.Equal(
            ["in_norm", "norm", "proj"],
            ModuleSurgery.Descendants(model.Model).Where(place => place.Module is ModulesToSaveWrapper).Select(place => place.Name));
        using var scope = NewDisposeScope();
        Assert.Equal([1L, 4], ((Sequential)model.Model).call(ones(1, 4)).shape);
    }

    [Fact]
    public void An_embeddings_copy_answers_with_the_parameter_that_is_trained()
    {
        using var scope = NewDisposeScope();
        var embedding = nn.Embedding(10, 4);
        var tree = nn.Sequential(("words", embedding), ("fc", nn.Linear(4, 4)));
        var ids = tensor([1L, 7]);
        var before = embedding.call(ids);
        using var model = LoraModel.Apply(tree, new LoraConfig { R = 1, TargetModules = ["fc"], ModulesToSave = ["words"] });
        var wrapper = Wrapper(model);
        Assert.Equal(before.data<float>().ToArray(), wrapper.call(ids).data<float>().ToArray());

        Add(wrapper.ModulesToSave["default"], 1);
        wrapper.call(ids).sum().backward();

        Assert.True((wrapper.call(ids) - before - 1).abs().max().item<float>() < 1e-6f);
        Assert.Equal(8f, wrapper.ModulesToSave["default"].get_parameter("weight")!.grad!.sum().item<float>());
    }

    [Fact]
    public void A_name_that_matches_nothing_is_told_to_the_logger_and_a_tasks_head_is_not()
    {
        var logger = new RecordingLogger();

        using var model = LoraModel.Apply(new SimpleMlp(), Config with { ModulesToSave = ["fc4", "pooler"], TaskType = TaskType.SeqCls }, logger: logger);

        Assert.Equal(["Module to save 'pooler' matches no module of 'SimpleMlp'."], logger.Lines);
        Assert.Equal(["fc4", "pooler", "classifier", "score"], model.Config.ModulesToSave!);
    }

    [Fact]
    public void A_module_of_ones_own_is_trained_if_it_can_be_copied_and_else_refused_by_name()
    {
        using var scope = NewDisposeScope();
        using var copyable = LoraModel.Apply(nn.Sequential(("fc", nn.Linear(4, 4)), ("own", new Doubler())), OwnConfig());
        Assert.IsType<Doubler>(Wrapper(copyable).ModulesToSave["default"]);
        Assert.Equal([1L, 4], ((Sequential)copyable.Model).call(ones(1, 4)).shape);

        using var other = nn.Sequential(("fc", nn.Linear(4, 4)), ("own", nn.Sequential(("inner", nn.Linear(4, 4)))));
        var error = Assert.Throws<NotSupportedException>(() => LoraModel.Apply(other, OwnConfig()));
        Assert.StartsWith("ModulesToSave means 'own', a 'Sequential', of which no copy can be made to train.", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(ModuleSurgery.Descendants(other), place => place.Module is LoraLayer or ModulesToSaveWrapper);

        static LoraConfig OwnConfig() => new() { R = 1, TargetModules = ["fc"], ModulesToSave = ["own"] };
    }

    [Fact]
    public void A_module_within_another_is_refused_by_name()
    {
        using var model = nn.Sequential(("fc", nn.Linear(4, 4)), ("own", nn.Sequential(("own", nn.Linear(4, 4)))));

        var error = Assert.Throws<ArgumentException>(() => LoraModel.Apply(model, new LoraConfig { R = 1, TargetModules = ["fc"], ModulesToSave = ["own"] }));

        Assert.Equal("ModulesToSave means 'own' and 'own.own' within it. Name one of them.", error.Message);
    }

    [Fact]
    public void A_layer_is_either_adapted_or_trained_whole_for_all_adapters()
    {
        using var saved = LoraModel.Apply(new SimpleMlp(), Config);
        var adapt = Assert.Throws<NotSupportedException>(() => saved.AddAdapter("second", new LoraConfig { R = 1, TargetModules = ["fc4"] }));
        Assert.Equal("'fc4' would have an adapter beside it and be trained whole by another. Leave it out of TargetModules or of ModulesToSave.", adapt.Message);

        using var adapted = LoraModel.Apply(new SimpleMlp(), Config with { ModulesToSave = null });
        var save = Assert.Throws<NotSupportedException>(() => adapted.AddAdapter("second", new LoraConfig { R = 1, TargetModules = ["fc3"], ModulesToSave = ["fc1"] }));
        Assert.Equal(adapt.Message.Replace("fc4", "fc1", StringComparison.Ordinal), save.Message);
        Assert.Equal(["default"], adapted.AdapterNames);
    }

    [Fact]
    public void What_is_trained_whole_is_neither_replaced_nor_named_for_a_server()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), Config);

        LoraTraining.ReplaceLayersWithCustom(model, 0);

        Assert.IsType<Linear>(Wrapper(model).OriginalModule);
        Assert.IsType<Linear>(Wrapper(model).ModulesToSave["default"]);
        Assert.DoesNotContain(Lora.GetRemoteNames(model, includeEmbeddingLayers: true), name => name.Contains("fc4", StringComparison.Ordinal));
    }

    [Fact]
    public void Fields_that_cannot_hold_anything_else_are_served_too()
    {
        using var scope = NewDisposeScope();
        var typed = new Typed();
        var ids = tensor([1L, 7]);
        var before = typed.call(ids).data<float>().ToArray();
        using var model = LoraModel.Apply(typed, new LoraConfig { R = 1, TargetModules = ["_words", "_fc"], ModulesToSave = ["_head"] });
        Assert.Equal(before, typed.call(ids).data<float>().ToArray());

        Add(Wrapper(model).ModulesToSave["default"], 1);
        var withHead = typed.call(ids).data<float>().ToArray();
        using (no_grad())
        {
            ((LoraEmbedding)model.AdaptedLayers[0].Layer).LoraEmbeddingA("default").add_(1);
        }

        Assert.NotEqual(before, withHead);
        Assert.NotEqual(withHead, typed.call(ids).data<float>().ToArray());
        using (model.DisableAdapter())
        {
            Assert.Equal(before, typed.call(ids).data<float>().ToArray());
        }

        model.Unload();
        Assert.Equal(before, typed.call(ids).data<float>().ToArray());
    }

    private static ModulesToSaveWrapper Wrapper(LoraModel model) =>
        ModuleSurgery.Descendants(model.Model).Select(place => place.Module).OfType<ModulesToSaveWrapper>().First();

    private static void Add(nn.Module module, double value)
    {
        using var noGradients = no_grad();
        module.get_parameter("weight")!.add_(value);
    }

    private sealed class Typed : nn.Module<Tensor, Tensor>
    {
        private readonly Embedding _words = nn.Embedding(10, 4);
        private readonly Linear _fc = nn.Linear(4, 4);
        private readonly Linear _head = nn.Linear(4, 3);

        public Typed() : base(nameof(Typed)) => RegisterComponents();

        public override Tensor forward(Tensor input) => _head.call(_fc.call(_words.call(input)));
    }

    private sealed class Doubler : nn.Module<Tensor, Tensor>, ICopyableModule
    {
        private readonly Parameter _factor = new(ones(1) * 2);

        public Doubler() : base(nameof(Doubler)) => RegisterComponents();

        public nn.Module<Tensor, Tensor> Copy() => new Doubler();

        public override Tensor forward(Tensor input) => input * _factor;
    }
}
