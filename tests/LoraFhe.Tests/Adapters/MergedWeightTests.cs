using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>Weights as peft 0.21.2's <c>merge_and_unload</c> left them, of models whose forward is not needed for it.</summary>
public sealed class MergedWeightTests
{
    public static TheoryData<string> Adapters =>
    [
        "gpt2-default", "gpt2-all-linear", "gpt2-list", "gpt2-regex", "gpt2-exclude-list", "gpt2-layers", "gpt2-rankpattern", "gpt2-rslora",
        "gpt2-r1", "gpt2-f16file", "gpt2-fifo-false", "gpt2-bias-all", "gpt2-bias-loraonly", "llama-list",
    ];

    [Theory]
    [MemberData(nameof(Adapters))]
    public void Merged_a_weight_is_pefts_and_unmerged_the_files(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open($"adapters/{name}");
        using var file = Golden.Open(golden.Expected["base_model"].AsString);
        var skeleton = SkeletonModel.Of(golden.Expected["base_model"].AsString);
        var layer = golden.Expected["merged_layer"].AsString;
        var tolerance = golden.Expected["tolerance_abs"]["merged_weight"].AsDouble;
        Read(skeleton.get_parameter($"{layer}.weight")!, file.Singles("model", $"{layer}.weight"));
        if (golden.Tensors("io").Contains("merged_bias"))
        {
            Read(skeleton.get_parameter($"{layer}.bias")!, file.Singles("model", $"{layer}.bias"));
        }

        using var model = LoraModel.FromPretrained(skeleton, golden.Folder);
        var weight = model.AdaptedLayers.Single(entry => entry.Name == layer).Layer.BaseLayer.get_parameter("weight")!;

        model.MergeAdapter();
        AssertClose(tolerance, golden.Singles("io", "merged_weight"), weight);
        model.UnmergeAdapter();
        AssertClose(tolerance, file.Singles("model", $"{layer}.weight"), weight);
        model.MergeAndUnload(safeMerge: true);

        AssertClose(tolerance, golden.Singles("io", "merged_weight"), skeleton.get_parameter($"{layer}.weight")!);
        if (golden.Tensors("io").Contains("merged_bias"))
        {
            AssertClose(tolerance, golden.Singles("io", "merged_bias"), skeleton.get_parameter($"{layer}.bias")!);
        }
    }

    private static void Read(Tensor parameter, GoldenTensor<float> values)
    {
        using var noGradients = no_grad();
        parameter.copy_(tensor(values.Values, values.Shape));
    }

    private static void AssertClose(double tolerance, GoldenTensor<float> expected, Tensor actual)
    {
        Assert.Equal(expected.Shape, actual.shape);
        var distance = (tensor(expected.Values, expected.Shape) - actual).abs().max().item<float>();
        Assert.True(distance <= tolerance, $"off by {distance}");
    }
}
