using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>Which layers options adapt, with which rank and scaling; for the recorded ways of naming them see the parity tests.</summary>
public sealed class TargetModulesTests
{
    private static LoraConfig Names(params string[] names) => new() { TargetModules = names };

    [Fact]
    public void A_name_matches_whole_or_after_a_dot_and_not_within_a_word()
    {
        using var model = LoraModel.Apply(Nested(), Names("proj", "block.fc"));

        Assert.Equal(["block.proj", "block.fc"], model.AdaptedLayers.Select(layer => layer.Name));
    }

    [Fact]
    public void A_pattern_matches_the_whole_name()
    {
        using var some = LoraModel.Apply(Nested(), new LoraConfig { TargetModules = TargetModules.Pattern(@".*proj") });
        Assert.Equal(["block.proj", "block.k_proj"], some.AdaptedLayers.Select(layer => layer.Name));

        using var nested = Nested();
        Assert.Throws<ArgumentException>(() => LoraModel.Apply(nested, new LoraConfig { TargetModules = TargetModules.Pattern("proj") }));
    }

    [Fact]
    public void Every_linear_layer_leaves_out_the_one_called_lm_head()
    {
        using var model = LoraModel.Apply(Nested(), new LoraConfig { TargetModules = TargetModules.AllLinear });

        Assert.Equal(["block.proj", "block.k_proj", "block.fc"], model.AdaptedLayers.Select(layer => layer.Name));
        Assert.Equal(["block.proj", "block.k_proj", "block.fc"], model.Config.TargetModules!.Names);
    }

    [Fact]
    public void The_output_layer_gets_an_adapter_when_it_is_named()
    {
        using var model = LoraModel.Apply(Nested(), Names("lm_head"));

        Assert.Equal("lm_head", Assert.Single(model.AdaptedLayers).Name);
    }

    [Fact]
    public void The_first_pattern_that_matches_sets_rank_and_alpha()
    {
        using var model = LoraModel.Apply(Nested(), new LoraConfig
        {
            R = 4,
            LoraAlpha = 8,
            TargetModules = TargetModules.AllLinear,
            RankPattern = new() { ["k_proj"] = 2, [".*proj"] = 1, ["block"] = 3 },
            AlphaPattern = new() { ["block.fc"] = 2.5, [".*fc"] = 7, ["block"] = 9 },
        });

        Assert.Equal([1, 2, 4], model.AdaptedLayers.Select(layer => layer.Layer.Adapters["default"].R));
        Assert.Equal([8.0, 4, 0.625], model.AdaptedLayers.Select(layer => layer.Layer.Adapters["default"].Scaling));
    }

    [Fact]
    public void No_match_is_an_error_that_shows_what_there_is()
    {
        using var mlp = new SimpleMlp();

        var error = Assert.Throws<ArgumentException>(() => LoraModel.Apply(mlp, Names("q_proj", "v_proj")));

        Assert.Equal("No linear layer of 'SimpleMlp' matches target modules 'q_proj', 'v_proj'; it has 'fc1', 'fc2', 'fc3', 'fc4'.", error.Message);
        Assert.All(mlp.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void A_large_model_is_shown_by_the_last_part_of_its_names()
    {
        using var model = nn.Sequential(Enumerable.Range(0, 5).Select(i =>
            ($"layers{i}", (nn.Module<Tensor, Tensor>)nn.Sequential(("q_proj", nn.Linear(4, 4)), ("k_proj", nn.Linear(4, 4)), ("fc", nn.Linear(4, 4))))).ToArray());

        var error = Assert.Throws<ArgumentException>(() => LoraModel.Apply(model, Names("c_attn")));

        Assert.StartsWith("No linear layer of 'Sequential' matches target modules 'c_attn'; it has ", error.Message, StringComparison.Ordinal);
        Assert.Contains("'q_proj'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("layers", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_default_targets_says_so()
    {
        using var mlp = new SimpleMlp();

        var error = Assert.Throws<ArgumentException>(() => LoraModel.Apply(mlp, new LoraConfig()));

        Assert.Equal("'SimpleMlp' has no default target modules. Name some in TargetModules; it has 'fc1', 'fc2', 'fc3', 'fc4'.", error.Message);
    }

    [Fact]
    public void A_target_that_is_no_linear_layer_is_refused_by_name()
    {
        using var model = Nested();

        var error = Assert.Throws<ArgumentException>(() => LoraModel.Apply(model, Names("fc", "norm")));

        Assert.Equal("Target modules 'fc', 'norm' match 'norm', a 'LayerNorm'; adapters go beside Linear, Conv1D and Embedding only.", error.Message);
    }

    [Fact]
    public void A_field_typed_Linear_keeps_its_layer_and_the_adapter_has_its_name()
    {
        var narrow = new Narrow();
        using var model = LoraModel.Apply(narrow, Names("_first", "_second"));

        Assert.Equal(["_first", "_second"], model.AdaptedLayers.Select(layer => layer.Name));
        Assert.IsType<LoraLinear>(narrow.named_children().Last().module);
        Assert.Contains("base_model.model._second.base_layer.weight", model.state_dict().Keys);
    }

    [Fact]
    public void A_second_adapter_is_refused()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), Names("fc1"));

        var error = Assert.Throws<InvalidOperationException>(() => LoraModel.Apply(model.Model, Names("fc2")));

        Assert.Equal("'SimpleMlp' has a LoRA adapter already, at 'fc1'. Apply one to a model without.", error.Message);
    }

    [Fact]
    public void A_target_without_a_layer_is_told_to_the_logger()
    {
        var logger = new RecordingLogger();

        using var model = LoraModel.Apply(new SimpleMlp(), Names("fc1", "q_proj"), logger: logger);

        Assert.Equal(["Target module 'q_proj' matches no layer of 'SimpleMlp'."], logger.Lines);
    }

    private static Sequential Nested() => nn.Sequential(
        ("block", nn.Sequential(("proj", nn.Linear(4, 4)), ("k_proj", nn.Linear(4, 4)), ("fc", nn.Linear(4, 4)))),
        ("norm", nn.LayerNorm(4)),
        ("lm_head", nn.Linear(4, 4)));

    private sealed class Narrow : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _first = nn.Linear(4, 4);
        private readonly Linear _second = nn.Linear(4, 4);

        public Narrow() : base(nameof(Narrow)) => RegisterComponents();

        public override Tensor forward(Tensor input) => _second.call(_first.call(input));
    }
}
