using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>Weights as peft 0.21.2's <c>merge_and_unload</c> left them, of models whose forward is not needed for it.</summary>
public sealed class MergedWeightTests
{
    // llama-lorabias-nobase cannot be merged.
    public static TheoryData<string> Adapters => [.. RecordedAdapters.Served.Where(name => name != "llama-lorabias-nobase")];

    [Theory]
    [MemberData(nameof(Adapters))]
    public void Merged_a_weight_is_pefts_and_unmerged_what_it_was(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open($"adapters/{name}");
        var skeleton = SkeletonModel.Of(golden.Expected["base_model"].AsString);
        var layer = golden.Expected["merged_layer"].AsString;
        var tolerance = golden.Expected["tolerance_abs"]["merged_weight"].AsDouble;
        using var model = LoraModel.FromPretrained(skeleton, golden.Folder);
        var weight = model.AdaptedLayers.Single(entry => entry.Name == layer).Layer.BaseLayer.get_parameter("weight")!;
        var before = weight.detach().clone();

        model.MergeAdapter();
        AssertClose(tolerance, golden.Singles("io", "merged_weight"), weight);
        model.UnmergeAdapter();
        Assert.True((weight - before).abs().max().item<float>() <= tolerance);
        model.MergeAndUnload(safeMerge: true);

        AssertClose(tolerance, golden.Singles("io", "merged_weight"), skeleton.get_parameter($"{layer}.weight")!);
        if (golden.Tensors("io").Contains("merged_bias"))
        {
            AssertClose(tolerance, golden.Singles("io", "merged_bias"), skeleton.get_parameter($"{layer}.bias")!);
        }
    }

    [Fact]
    public void A_bias_that_the_layer_has_no_place_for_is_not_merged()
    {
        using var golden = Golden.Open("adapters/llama-lorabias-nobase");
        using var model = LoraModel.FromPretrained(SkeletonModel.Of("models/llama-gqa"), golden.Folder);
        var before = model.AdaptedLayers.Select(entry => Values(entry.Layer)).ToArray();

        var error = Assert.Throws<InvalidOperationException>(() => model.MergeAdapter());

        Assert.Equal("Layer 'model.layers.0.self_attn.q_proj' has no 'bias' that the adapter could be merged into. Nothing was merged.", error.Message);
        Assert.Equal(before, model.AdaptedLayers.Select(entry => Values(entry.Layer)).ToArray());

        static float[] Values(LoraLayer layer) => layer.BaseLayer.get_parameter("weight")!.data<float>().ToArray();
    }

    private static void AssertClose(double tolerance, GoldenTensor<float> expected, Tensor actual)
    {
        Assert.Equal(expected.Shape, actual.shape);
        var distance = (tensor(expected.Values, expected.Shape) - actual).abs().max().item<float>();
        Assert.True(distance <= tolerance, $"off by {distance}");
    }
}
