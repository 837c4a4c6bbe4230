using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

public sealed class RemoteNamesTests
{
    [Theory]
    [InlineData("mlp")]
    [InlineData("llama")]
    public void Names_of_an_untouched_adapted_model_are_the_recorded_ones(string name)
    {
        using var golden = Golden.Open("concrete-ml/" + name);
        using var model = Peft(name, golden.Json("case.json"));
        var recorded = golden.Json("case.json")["remote_names"]["peft_model_untouched"];

        Assert.Equal(recorded["False"].AsStrings, Lora.GetRemoteNames(model));
        Assert.Equal(recorded["True"].AsStrings, Lora.GetRemoteNames(model, includeEmbeddingLayers: true));
    }

    [Theory]
    [InlineData("mlp", 0)]
    [InlineData("mlp", 1)]
    [InlineData("mlp", 2)]
    [InlineData("mlp", 3)]
    [InlineData("llama", 0)]
    [InlineData("llama", 1)]
    [InlineData("llama", 2)]
    [InlineData("llama", 3)]
    public void Names_after_replacement_are_the_recorded_ones(string name, int skip)
    {
        using var golden = Golden.Open("concrete-ml/" + name);
        var model = Peft(name, golden.Json("case.json"));
        LoraTraining.ReplaceLayersWithCustom(model, skip);
        using var training = new Tree("training", ("inference_model", model));
        var recorded = golden.Json("case.json")["remote_names"][$"LoraTraining_skip{skip}"];

        Assert.Equal(recorded["False"].AsStrings, Lora.GetRemoteNames(training));

        // The recorded list names lm_head's two halves twice: a defect of the reference that is not kept.
        Assert.Equal(recorded["True"].AsStrings.Distinct(), Lora.GetRemoteNames(training, includeEmbeddingLayers: true));
    }

    [Fact]
    public void Lora_is_matched_as_a_word_of_a_segment()
    {
        using var model = new Tree(
            "model", ("exploration_head", nn.Linear(2, 2)), ("lora_linear", nn.Linear(2, 2)), ("my_lora", new Tree("inner", ("layer", nn.Linear(2, 2)))));

        Assert.Equal(["exploration_head"], Lora.GetRemoteNames(model));
    }

    [Fact]
    public void A_shared_module_has_one_name_and_a_bare_layer_the_empty_one()
    {
        var shared = nn.Linear(2, 2);
        using var model = new Tree("model", ("first", shared), ("second", shared));
        using var custom = new CustomLinear(ones(2, 2));

        Assert.Equal(["first"], Lora.GetRemoteNames(model));
        Assert.Equal([""], Lora.GetRemoteNames(shared));
        Assert.Equal(["forward_module", "backward_module"], Lora.GetRemoteNames(custom));
    }

    [Theory]
    [InlineData("inference_model.base_model.model.fc1.base_layer", "fc1")]
    [InlineData("base_model.model.model.layers.0.self_attn.q_proj.base_layer", "model.layers.0.self_attn.q_proj")]
    [InlineData("inference_model.fc1", "fc1")]
    [InlineData("fc1", "fc1")]
    [InlineData("my_base_layer", "my_base_layer")]
    public void Bindings_use_the_users_name_of_a_layer(string path, string name) => Assert.Equal(name, FrozenGroup.ShortName(path));

    private static Tree Peft(string name, GoldenJson recorded) => new("peft", ("base_model", new Tree("base", ("model", name == "mlp" ? Mlp(recorded) : Llama(recorded)))));

    private static Tree Mlp(GoldenJson recorded)
    {
        var dims = recorded["dims"].AsInt32s;
        return new Tree("mlp", [.. dims.Zip(dims.Skip(1)).Select((size, i) => ($"fc{i + 1}", (nn.Module<Tensor, Tensor>)Adapted(size.First, size.Second)))]);
    }

    private static Tree Llama(GoldenJson recorded)
    {
        var config = recorded["config"];
        var (hidden, inner) = (config["hidden_size"].AsInt32, config["intermediate_size"].AsInt32);
        var kv = hidden / config["num_attention_heads"].AsInt32 * config["num_key_value_heads"].AsInt32;
        var layers = Enumerable.Range(0, config["num_hidden_layers"].AsInt32).Select(i => (i.ToString(), (nn.Module<Tensor, Tensor>)new Tree(
            "layer",
            ("self_attn", new Tree("attention", ("q_proj", Adapted(hidden, hidden)), ("k_proj", Adapted(hidden, kv)), ("v_proj", Adapted(hidden, kv)), ("o_proj", Adapted(hidden, hidden)))),
            ("mlp", new Tree("mlp", ("gate_proj", Adapted(hidden, inner)), ("up_proj", Adapted(hidden, inner)), ("down_proj", Adapted(inner, hidden)))))));
        var vocabulary = config["vocab_size"].AsInt32;
        return new Tree(
            "causal",
            ("model", new Tree("llama", ("embed_tokens", nn.Embedding(vocabulary, hidden)), ("layers", new Tree("layers", [.. layers])))),
            ("lm_head", nn.Linear(hidden, vocabulary, hasBias: false)));
    }

    private static Tree Adapted(int inputs, int outputs) => new(
        "adapted",
        ("base_layer", nn.Linear(inputs, outputs)),
        ("lora_dropout", new Tree("dict", ("default", nn.Identity()))),
        ("lora_A", new Tree("dict", ("default", nn.Linear(inputs, 4, hasBias: false)))),
        ("lora_B", new Tree("dict", ("default", nn.Linear(4, outputs, hasBias: false)))));

    /// <summary>Any tree of modules; its children lie in a list, which can take replacements.</summary>
    private sealed class Tree : nn.Module<Tensor, Tensor>
    {
        private readonly List<nn.Module<Tensor, Tensor>> _children = [];

        public Tree(string name, params (string Name, nn.Module<Tensor, Tensor> Child)[] children)
            : base(name)
        {
            foreach (var (childName, child) in children)
            {
                _children.Add(child);
                register_module(childName, child);
            }
        }

        public override Tensor forward(Tensor input) => _children.Aggregate(input, (value, child) => child.call(value));
    }
}
