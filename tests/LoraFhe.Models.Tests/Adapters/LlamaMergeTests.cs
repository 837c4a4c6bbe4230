using LoraFhe.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>Merging, disabling and switching peft 0.21.2's adapters on the recorded Llamas.</summary>
public sealed class LlamaMergeTests
{
    public static TheoryData<string> Adapters => LlamaAdapterTests.Adapters;

    // B's bias has no place in a layer without one.
    public static TheoryData<string> Mergeable => [.. Adapters.Select(row => row.Data).Where(name => name != "llama-lorabias-nobase")];

    [Theory]
    [MemberData(nameof(Mergeable))]
    public void Merged_and_unloaded_a_model_answers_as_in_Python(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open($"adapters/{name}");
        using var adapted = Load(golden);
        var layer = golden.Expected["merged_layer"].AsString;

        using var model = (LlamaForCausalLM)adapted.MergeAndUnload(safeMerge: true);

        Close.Within(Tolerance(golden, "merged_weight"), Singles(golden, "merged_weight"), model.get_parameter($"{layer}.weight")!, name);
        if (golden.Tensors("io").Contains("merged_bias"))
        {
            Close.Within(Tolerance(golden, "merged_weight"), Singles(golden, "merged_bias"), model.get_parameter($"{layer}.bias")!, name);
        }

        AssertAnswers(golden, "logits_merged", model);
        using var bare = Bare(golden);
        Assert.Equal(bare.named_parameters().Select(entry => entry.name), model.named_parameters().Select(entry => entry.name));
    }

    [Theory]
    [MemberData(nameof(Mergeable))]
    public void Merged_an_adapter_answers_as_merged_and_unmerged_as_before(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open($"adapters/{name}");
        using var adapted = Load(golden);
        var model = (LlamaForCausalLM)adapted.Model;

        adapted.MergeAdapter();
        AssertAnswers(golden, "logits_merged", model);

        adapted.UnmergeAdapter();
        AssertAnswers(golden, "logits_adapter", model);
    }

    [Theory]
    [MemberData(nameof(Adapters))]
    public void Disabled_an_adapter_leaves_the_bare_models_answers(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open($"adapters/{name}");
        using var adapted = Load(golden);
        using var bare = Bare(golden);
        if (adapted.Config.Bias != LoraBias.None)
        {
            // Biases are the model's own: it keeps what the adapter's file put there.
            var biases = adapted.Model.named_parameters().Where(entry => entry.name.EndsWith("bias", StringComparison.Ordinal))
                .ToDictionary(entry => entry.name.Replace(".base_layer.", ".", StringComparison.Ordinal), entry => entry.parameter, StringComparer.Ordinal);
            using var noGradients = no_grad();
            foreach (var (parameterName, parameter) in bare.named_parameters().Where(entry => biases.ContainsKey(entry.name)))
            {
                parameter.copy_(biases[parameterName]);
            }
        }

        using (adapted.DisableAdapter())
        {
            // What an adapter took out of the weights is added again, rounded.
            var tolerance = adapted.Config.InitLoraWeights is InitLoraWeights.Pissa or InitLoraWeights.Olora ? 1e-4 : 0;
            Close.Within(tolerance, Answer(golden, bare), Answer(golden, (LlamaForCausalLM)adapted.Model), name);
        }

        AssertAnswers(golden, "logits_adapter", (LlamaForCausalLM)adapted.Model);
    }

    [Theory]
    [InlineData("llama-list", "llama-r16")]
    [InlineData("llama-layers-int", "llama-all-linear")]
    [InlineData("llama-all-linear", "llama-layers-list")]
    public void Two_adapters_beside_each_other_give_each_ones_answers(string first, string second)
    {
        using var scope = NewDisposeScope();
        using var one = Golden.Open($"adapters/{first}");
        using var other = Golden.Open($"adapters/{second}");
        using var adapted = Load(one);
        var model = (LlamaForCausalLM)adapted.Model;

        adapted.LoadAdapter(other.Folder, "other");

        AssertAnswers(one, "logits_adapter", model);
        adapted.SetAdapter("other");
        AssertAnswers(other, "logits_adapter", model);
        adapted.MergeAdapter();
        AssertAnswers(other, "logits_merged", model);
        adapted.SetAdapter("default");
        AssertAnswers(one, "logits_adapter", model);
        adapted.DeleteAdapter("other");
        AssertAnswers(one, "logits_adapter", model);
        adapted.MergeAndUnload();
        AssertAnswers(one, "logits_merged", model);
    }

    [Fact]
    public void A_second_adapter_that_trains_biases_is_refused()
    {
        using var golden = Golden.Open("adapters/llama-bias-all");
        using var adapted = Load(golden);

        var error = Assert.Throws<InvalidDataException>(() => adapted.LoadAdapter(golden.Folder, "other"));

        Assert.StartsWith("adapter_config.json: Adapter 'default' trains biases already", error.Message, StringComparison.Ordinal);
        Assert.Equal(["default"], adapted.AdapterNames);
    }

    [Fact]
    public void A_half_precision_model_merges_in_its_own_type()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open("adapters/llama-list");
        using var adapted = Load(golden);
        adapted.Model.to(ScalarType.BFloat16);
        var layer = (LoraLinear)adapted.AdaptedLayers[0].Layer;
        var weight = layer.BaseLayer.get_parameter("weight")!.clone();
        var (a, b) = (layer.LoraA["default"].weight, layer.LoraB["default"].weight);

        adapted.MergeAdapter(safeMerge: true);

        var change = b.to(float32).matmul(a.to(float32)).mul(layer.Adapters["default"].Scaling).to(ScalarType.BFloat16);
        var merged = layer.BaseLayer.get_parameter("weight")!;
        Assert.Equal(ScalarType.BFloat16, merged.dtype);
        Assert.True(merged.equal(weight + change).all().item<bool>());
    }

    private static LoraModel Load(Golden golden) => LoraModel.FromPretrained(Bare(golden), golden.Folder);

    private static LlamaForCausalLM Bare(Golden golden) =>
        LlamaForCausalLM.FromPretrained(RepositoryFolder.Fixture(golden.Expected["base_model"].AsString.Split('/')));

    private static Tensor Answer(Golden golden, LlamaForCausalLM model) =>
        model.call(Int64s(golden, "input_ids"), Int64s(golden, "attention_mask"), null).Logits!;

    private static void AssertAnswers(Golden golden, string recorded, LlamaForCausalLM model) => Close.Where(
        Int64s(golden, "attention_mask"), Tolerance(golden, recorded), Singles(golden, recorded), Answer(golden, model), golden.Expected["name"].AsString);

    private static double Tolerance(Golden golden, string what) => golden.Expected["tolerance_abs"][what].AsDouble;

    private static Tensor Int64s(Golden golden, string name)
    {
        var recorded = golden.Int64s("io", name);
        return tensor(recorded.Values, recorded.Shape, ScalarType.Int64);
    }

    private static Tensor Singles(Golden golden, string name)
    {
        var recorded = golden.Singles("io", name);
        return tensor(recorded.Values, recorded.Shape, ScalarType.Float32);
    }
}
