using LoraFhe.Fixtures;
using LoraFhe.Models;
using LoraFhe.Tools.Soak;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.RealModels;

/// <summary>The shipped model against what transformers and peft recorded of it.</summary>
public sealed class TinyAustenTests
{
    [Theory]
    [InlineData("in0")]
    [InlineData("in1")]
    [InlineData("in2")]
    [InlineData("in3")]
    public void Logits_are_the_recorded_ones(string input)
    {
        using var recorded = RecordedModel.TinyAusten();
        using var model = Load();

        Assert.Equal(4, recorded.Inputs.Count());
        Assert.All(
            recorded.Differences(model, input),
            difference => Assert.True(difference.Largest <= 1e-4, $"{difference.Name} is off by {difference.Largest:g3}"));
    }

    [Fact]
    public void Greedy_texts_are_the_recorded_ones_token_for_token()
    {
        using var recorded = RecordedModel.TinyAusten();
        using var model = Load();
        var tokenizer = PretrainedTokenizer.FromPretrained(recorded.Folder);

        Assert.Equal(4, recorded.Texts.Count);
        Assert.All(recorded.Texts, text => SameText.Assert(text, model, tokenizer));
    }

    [Fact]
    public void With_the_adapter_that_peft_trained_perplexity_and_texts_are_those_of_peft()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open("lora/tiny-austen-proverbs");
        using var recorded = RecordedRun.TinyAusten();
        using var model = Load();
        using var adapted = LoraModel.FromPretrained(model, golden.File("adapter"));

        Close.Within(1e-3, recorded.After.Perplexity, Metrics.Perplexity(adapted, recorded.HeldOut())["perplexity"], "perplexity");
        Assert.All(recorded.After.Texts, text => Assert.Equal(
            text.Ids,
            model.Generate(text.PromptIds, new GenerationOptions { MaxNewTokens = text.Ids.Length }, cancellationToken: TestContext.Current.CancellationToken)));
    }

    private static CausalLanguageModel Load() => CausalLanguageModel.FromPretrained(RepositoryFolder.At("models", "tiny-austen"));
}
