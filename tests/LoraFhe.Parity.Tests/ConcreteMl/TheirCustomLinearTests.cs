using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>The reference's tests of its layers and their names, each under its own name (<c>tests/torch/test_lora.py</c> of Concrete ML 1.9.0).</summary>
public sealed class TheirCustomLinearTests
{
    [Fact]
    public void Custom_linear_forward_backward() => AssertBackward(new CustomLinear(randn(20, 10), randn(20)));

    [Fact]
    public void Custom_linear_weight_transposed() => AssertBackward(new CustomLinear(randn(10, 20), randn(20), weightTransposed: true));

    [Fact]
    public void Forward_backward_module()
    {
        using var scope = NewDisposeScope();
        var weight = randn(20, 10);
        var forward = new ForwardModuleLinear(weight, randn(20));
        var backward = new BackwardModuleLinear(weight);
        var x = randn(5, 10);
        Assert.Equal(x.shape, backward.call(randn_like(forward.call(x))).shape);
    }

    [Fact]
    public void Get_remote_names()
    {
        using var model = new DummyLoraModel();
        LoraTraining.ReplaceLayersWithCustom(model, 0);
        Assert.Equal(
            ["linear1.forward_module", "linear1.backward_module", "linear2.forward_module", "linear2.backward_module"], Lora.GetRemoteNames(model));
    }

    [Fact]
    public void Get_remote_names_include_embedding_layers()
    {
        using var model = new TwoLayers("embedding", "linear", nn.Embedding(10, 10));
        Assert.Equal(["embedding", "linear"], Lora.GetRemoteNames(model, includeEmbeddingLayers: true));
    }

    [Fact]
    public void Get_remote_names_skips_lm_head_when_excluded()
    {
        using var model = new TwoLayers("lm_head", "linear");
        Assert.Equal(["linear"], Lora.GetRemoteNames(model, includeEmbeddingLayers: false));
    }

    [Fact]
    public void Get_remote_names_with_lora_in_name()
    {
        using var model = new TwoLayers("lora_linear", "linear");
        Assert.Equal(["linear"], Lora.GetRemoteNames(model));
    }

    private static void AssertBackward(CustomLinear layer)
    {
        using var owned = layer;
        using var x = randn([5, 10], requires_grad: true);
        layer.call(x).sum().backward();
        Assert.Equal([5, 10], x.grad!.shape);
        Assert.NotEqual(0f, x.grad.abs().sum().item<float>());
    }
}
