using LoraFhe.Fixtures;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>A Llama under adapters: the names, the numbers and the places that peft and Concrete ML have.</summary>
public sealed class AdaptedLlamaTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static readonly string[] AllProjections = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

    [Fact]
    public void Concrete_ML_s_model_has_the_same_names_logits_and_trainable_parameters()
    {
        using var scope = NewDisposeScope();
        using var recorded = Golden.Open("concrete-ml/llama");
        var json = recorded.Json("case.json");
        using var model = new LlamaForCausalLM(LlamaConfig.Parse(json["config"].Element.GetRawText()));
        var adapted = LoraModel.Apply(model, new LoraConfig { R = 4, LoraAlpha = 8, TargetModules = [.. AllProjections] });

        using (no_grad())
        {
            var parameters = adapted.named_parameters().ToDictionary(p => p.name, p => p.parameter);
            var tensors = recorded.Tensors("init");
            Assert.Equal(tensors.Entries.Select(e => e.Name).Order(), parameters.Keys.Order());
            foreach (var entry in tensors.Entries)
            {
                parameters[entry.Name].copy_(tensor(tensors.ReadSingles(entry.Name), [.. entry.Shape]));
            }
        }

        var trainable = adapted.named_parameters().Where(p => p.parameter.requires_grad).Select(p => p.name);
        Assert.Equal(json["trainable"].AsStrings, trainable);
        var logits = model.call(Train(recorded, "input_ids"), Train(recorded, "attention_mask"), Train(recorded, "labels")).Logits!;
        var expected = recorded.Singles("forward", "logits.train.0");
        Close.Where(Train(recorded, "attention_mask"), 1e-4, tensor(expected.Values, expected.Shape), logits, "logits");
    }

    [Fact]
    public void Default_targets_are_queries_and_values()
    {
        using var model = LlamaForCausalLM.FromPretrained(RepositoryFolder.Fixture("models", "llama-gqa"));

        var adapted = LoraModel.Apply(model, new LoraConfig());

        Assert.Equal(4, adapted.AdaptedLayers.Count);
        Assert.All(adapted.AdaptedLayers, layer => Assert.Contains(layer.Name.Split('.')[^1], (string[])["q_proj", "v_proj"]));
    }

    [Theory]
    [InlineData("llama-gqa")]
    [InlineData("llama-tied")]
    public void All_linear_leaves_the_head_out(string name)
    {
        using var model = LlamaForCausalLM.FromPretrained(RepositoryFolder.Fixture("models", name));

        var adapted = LoraModel.Apply(model, new LoraConfig { TargetModules = TargetModules.AllLinear });

        Assert.Equal(14, adapted.AdaptedLayers.Count);
        Assert.IsType<Linear>(model.OutputEmbeddings);
    }

    [Fact]
    public void A_fresh_adapter_changes_nothing_and_generation_runs_through_it()
    {
        using var model = CausalLanguageModel.FromPretrained(RepositoryFolder.At("models", "tiny-austen"));
        var options = new GenerationOptions { MaxNewTokens = 12 };
        var before = model.Generate([0, 38, 694], options, cancellationToken: Cancellation);

        var adapted = LoraModel.Apply(model, new LoraConfig { R = 4, TargetModules = TargetModules.AllLinear, LoraDropout = 0.5 });
        adapted.train();
        var after = model.Generate([0, 38, 694], options, cancellationToken: Cancellation);
        using (no_grad())
        {
            foreach (var parameter in adapted.TrainableParameters())
            {
                parameter.fill_(0.05);
            }
        }

        Assert.Equal(before, after);
        Assert.True(model.training);
        Assert.NotEqual(before, model.Generate([0, 38, 694], options, cancellationToken: Cancellation));
    }

    private static Tensor Train(Golden recorded, string key)
    {
        var ids = recorded.Int64s("data", "train.0." + key);
        return tensor(ids.Values, ids.Shape, ScalarType.Int64);
    }
}
