using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

public sealed class Conv1DTests
{
    [Fact]
    public void It_multiplies_by_a_weight_stored_in_by_out()
    {
        using var scope = NewDisposeScope();
        using var layer = new Conv1D(tensor([1f, 2f, 3f, 4f, 5f, 6f], 2, 3).AsParameter(), tensor([10f, 20f, 30f]).AsParameter());

        var output = layer.call(tensor([1f, 1f, 0f, 2f], 1, 2, 2));

        Assert.Equal([1L, 2, 3], output.shape);
        Assert.Equal([15f, 27f, 39f, 18f, 30f, 42f], output.data<float>().ToArray());
        Assert.Equal((2, 3), (layer.in_features, layer.out_features));
    }

    [Fact]
    public void Its_parameters_are_named_as_a_checkpoint_names_them()
    {
        using var layer = new Conv1D(2, 3);
        using var without = new Conv1D(2, 3, hasBias: false);

        Assert.Equal(["weight", "bias"], layer.named_parameters().Select(entry => entry.name));
        Assert.Equal(["weight"], without.named_parameters().Select(entry => entry.name));
    }

    [Fact]
    public void A_new_weight_has_GPT2s_deviation()
    {
        using var scope = NewDisposeScope();
        using var generator = manual_seed(1);
        using var layer = new Conv1D(400, 100);

        // 40 000 draws: the sample's deviation lies within 2 % of 0.02 but for one run in 10⁷.
        Assert.InRange(layer.weight.std().item<float>(), 0.0196f, 0.0204f);
        Assert.Equal(0f, layer.bias!.abs().max().item<float>());
    }

    [Fact]
    public void It_moves_to_another_type_with_its_gradients_intact()
    {
        using var scope = NewDisposeScope();
        using var layer = new Conv1D(2, 3);
        layer.to(ScalarType.Float64);

        layer.call(ones(1, 2, dtype: ScalarType.Float64)).sum().backward();

        Assert.Equal(ScalarType.Float64, layer.weight.dtype);
        Assert.Equal(["weight", "bias"], layer.named_parameters().Select(entry => entry.name));
        Assert.Equal(6.0, layer.weight.grad!.sum().item<double>());
    }

    [Fact]
    public void Wrong_shapes_are_refused_before_libtorch_sees_them()
    {
        using var scope = NewDisposeScope();
        using var layer = new Conv1D(2, 3);

        Assert.Contains("takes [..., 2]; the input is [4, 3]", Assert.Throws<ArgumentException>(() => layer.call(ones(4, 3))).Message, StringComparison.Ordinal);
        Assert.Contains("[in, out]; this one is [4]", Assert.Throws<ArgumentException>(() => new Conv1D(ones(4).AsParameter())).Message, StringComparison.Ordinal);
        Assert.Contains("bias of [3]; this one is [2]", Assert.Throws<ArgumentException>(() => layer.bias = ones(2).AsParameter()).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Conv1D(0, 3));
    }
}
