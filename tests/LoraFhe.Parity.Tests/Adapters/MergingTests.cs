using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>Adapters as part of the weights, and taken out again.</summary>
public sealed class MergingTests
{
    [Theory]
    [Recorded("adapters", "merge_error=")]
    public void Merged_and_unloaded_weights_and_logits_are_those_of_Python(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);
        using var adapted = recorded.Load();
        var before = recorded.Answer(adapted.Model).Logits!;

        using var model = adapted.MergeAndUnload(safeMerge: true);

        AssertMerged(recorded, model, recorded.Expected["merged_layer"].AsString);
        var difference = recorded.LargestDifference(before, recorded.Answer(model).Logits!);
        Close.Within(recorded.Golden.ToleranceOf("logits_merged"), recorded.Expected["max_abs_diff_merged_vs_adapter"].AsDouble, difference, $"{name} difference by merging");
        using var bare = recorded.Bare();
        Assert.Equal(bare.state_dict().Keys, model.state_dict().Keys);
    }

    [Theory]
    [Recorded("adapters", "merge_error=")]
    public void Merged_in_place_a_model_answers_as_merged_in_Python_and_unmerged_as_before(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);
        using var adapted = recorded.Load();
        var layer = recorded.Expected["merged_layer"].AsString;
        var before = adapted.Model.get_parameter($"{layer}.base_layer.weight")!.clone();

        adapted.MergeAdapter();
        AssertMerged(recorded, adapted.Model, $"{layer}.base_layer");

        adapted.UnmergeAdapter();
        recorded.AssertLogits("logits_adapter", recorded.Answer(adapted.Model).Logits!);
        Close.Within(recorded.Golden.ToleranceOf("merged_weight"), before, adapted.Model.get_parameter($"{layer}.base_layer.weight")!, $"{name} unmerged weight");
    }

    [Theory]
    [Recorded("adapters", "merge_error!=")]
    public void What_Python_cannot_merge_is_refused_by_name_and_unchanged(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);
        using var adapted = recorded.Load();

        var error = Assert.Throws<InvalidOperationException>(() => adapted.MergeAdapter());

        Assert.Contains("the base layer has no bias", recorded.Expected["merge_error"].AsString, StringComparison.Ordinal);
        Assert.Equal(
            $"Layer '{recorded.Expected["merged_layer"].AsString}' has no 'bias' that the adapter could be merged into. Nothing was merged.", error.Message);
        Assert.Empty(adapted.MergedAdapters);
        recorded.AssertLogits("logits_adapter", recorded.Answer(adapted.Model).Logits!);
    }

    [Theory]
    [Recorded("adapters")]
    public void Disabled_an_adapter_leaves_the_answers_of_the_bare_model(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = AdapterCase.Open(name);
        using var adapted = recorded.Load();
        using var bare = recorded.Bare();
        if (adapted.Config.Bias != LoraBias.None)
        {
            TakeOverBiases(bare, adapted);
        }

        using (adapted.DisableAdapter())
        {
            // What an adapter took out of the weights is added again, rounded.
            var tolerance = adapted.Config.InitLoraWeights is InitLoraWeights.Pissa or InitLoraWeights.Olora ? recorded.Golden.ToleranceOf("logits_adapter") : 0;
            Close.Within(tolerance, recorded.Answer(bare).Logits!, recorded.Answer(adapted.Model).Logits!, $"{name} disabled");
        }

        recorded.AssertLogits("logits_adapter", recorded.Answer(adapted.Model).Logits!);
    }

    // Biases are the model's own: it keeps what the adapter's file put there.
    private static void TakeOverBiases(nn.Module bare, LoraModel adapted)
    {
        using var noGradients = no_grad();
        var biases = adapted.Model.named_parameters().Where(entry => entry.name.EndsWith("bias", StringComparison.Ordinal))
            .ToDictionary(entry => entry.name.Replace(".base_layer.", ".", StringComparison.Ordinal), entry => entry.parameter, StringComparer.Ordinal);
        foreach (var (name, parameter) in bare.named_parameters().Where(entry => biases.ContainsKey(entry.name)))
        {
            parameter.copy_(biases[name]);
        }
    }

    private static void AssertMerged(AdapterCase recorded, nn.Module model, string layer)
    {
        recorded.AssertTensor("io", "merged_weight", model.get_parameter($"{layer}.weight")!, "merged_weight");
        if (recorded.Golden.Tensors("io").Contains("merged_bias"))
        {
            recorded.AssertTensor("io", "merged_bias", model.get_parameter($"{layer}.bias")!, "merged_weight");
        }

        recorded.AssertLogits("logits_merged", recorded.Answer(model).Logits!);
    }
}
