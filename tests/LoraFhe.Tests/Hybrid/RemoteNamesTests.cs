using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

public sealed class RemoteNamesTests
{
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
