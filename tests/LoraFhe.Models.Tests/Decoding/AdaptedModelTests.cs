using LoraFhe.Fixtures;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>Language models under adapters: the places that peft takes.</summary>
public sealed class AdaptedModelTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("llama-gqa", "q_proj v_proj")]
    [InlineData("gpt2-base", "c_attn")]
    public void Default_targets_are_those_of_the_family(string name, string targets)
    {
        using var model = Load(name);

        var adapted = LoraModel.Apply(model, new LoraConfig());

        Assert.Equal(
            Enumerable.Repeat(targets.Split(' '), 2).SelectMany(layer => layer),
            adapted.AdaptedLayers.Select(layer => layer.Name.Split('.')[^1]));
    }

    [Theory]
    [InlineData("llama-gqa", 14)]
    [InlineData("llama-tied", 14)]
    [InlineData("gpt2-base", 8)]
    [InlineData("gpt2-untied", 8)]
    public void All_linear_leaves_the_head_out(string name, int layers)
    {
        using var model = Load(name);

        var adapted = LoraModel.Apply(model, new LoraConfig { TargetModules = TargetModules.AllLinear });

        Assert.Equal(layers, adapted.AdaptedLayers.Count);
        Assert.IsType<Linear>(model.OutputEmbeddings);
    }

    [Theory]
    [InlineData("gpt2-seqcls", 8)]
    [InlineData("llama-seqcls", 14)]
    public void A_classifier_s_head_is_trained_whole_beside_its_adapters(string name, int layers)
    {
        using var model = SequenceClassifier.FromPretrained(RepositoryFolder.Fixture("models", name));

        var adapted = LoraModel.Apply(model, new LoraConfig { TaskType = TaskType.SeqCls, TargetModules = TargetModules.AllLinear });

        Assert.Equal(layers, adapted.AdaptedLayers.Count);
        Assert.Single(adapted.named_parameters(), entry => entry.parameter.requires_grad && !entry.name.Contains("lora_", StringComparison.Ordinal));
        Assert.Contains(adapted.named_parameters(), entry => entry.parameter.requires_grad && entry.name.Contains("score", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("gpt2-base")]
    [InlineData("tiny-austen")]
    public void A_fresh_adapter_changes_nothing_and_generation_runs_through_it(string name)
    {
        using var model = name == "tiny-austen" ? CausalLanguageModel.FromPretrained(RepositoryFolder.At("models", name)) : Load(name);
        var options = new GenerationOptions { MaxNewTokens = 12 };
        var before = model.Generate([0, 38, 69], options, cancellationToken: Cancellation);

        var adapted = LoraModel.Apply(model, new LoraConfig { R = 4, TargetModules = TargetModules.AllLinear, LoraDropout = 0.5 });
        adapted.train();
        var after = model.Generate([0, 38, 69], options, cancellationToken: Cancellation);
        using (no_grad())
        {
            foreach (var parameter in adapted.TrainableParameters())
            {
                parameter.fill_(0.05);
            }
        }

        Assert.Equal(before, after);
        Assert.True(model.training);
        Assert.NotEqual(before, model.Generate([0, 38, 69], options, cancellationToken: Cancellation));
    }

    private static CausalLanguageModel Load(string name) => CausalLanguageModel.FromPretrained(RepositoryFolder.Fixture("models", name));
}
