using LoraFhe.Fixtures;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>A Llama under adapters: the names, the numbers and the places that peft and Concrete ML have.</summary>
public sealed class AdaptedLlamaTests
{
    [Fact]
    public void Default_targets_are_queries_and_values()
    {
        using var model = LlamaForCausalLM.FromPretrained(RepositoryFolder.Fixture("models", "llama-gqa"));

        var adapted = LoraModel.Apply(model, new LoraConfig());

        Assert.Equal(4, adapted.AdaptedLayers.Count);
        Assert.All(adapted.AdaptedLayers, layer => Assert.True(layer.Name.EndsWith("q_proj", StringComparison.Ordinal) || layer.Name.EndsWith("v_proj", StringComparison.Ordinal)));
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
        var before = model.Generate([0, 38, 694], options, cancellationToken: TestContext.Current.CancellationToken);

        var adapted = LoraModel.Apply(model, new LoraConfig { R = 4, TargetModules = TargetModules.AllLinear, LoraDropout = 0.5 });
        adapted.train();
        var after = model.Generate([0, 38, 694], options, cancellationToken: TestContext.Current.CancellationToken);
        using (no_grad())
        {
            foreach (var parameter in adapted.TrainableParameters())
            {
                parameter.fill_(0.05);
            }
        }

        Assert.Equal(before, after);
        Assert.True(model.training);
        Assert.NotEqual(before, model.Generate([0, 38, 694], options, cancellationToken: TestContext.Current.CancellationToken));
    }
}
