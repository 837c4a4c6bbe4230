using LoraFhe.Tools.Soak;

namespace LoraFhe.Parity.Tests.RealModels;

/// <summary>SmolLM2-135M-Instruct, unpacked from a 4-bit file, against what transformers recorded of the same folder.</summary>
public sealed class SmolLm2Tests(LoadedModel smolLm2) : IClassFixture<LoadedModel>
{
    private const double Tolerance = 1e-3;

    // Of a token's loss, in nats. This libtorch's float32 log_softmax of 49,152 logits is 5e-6 to 9e-6 above the exact one, and the recorded losses are that much lower.
    private const double LossTolerance = 5e-5;

    [RealModelFact]
    public void Every_recorded_input_and_text_is_compared()
    {
        using var recorded = Recorded();

        Assert.Equal(["chat", "code", "plain"], recorded.Inputs.Order(StringComparer.Ordinal));
        Assert.Equal(["austen-persuasion-part.txt", "kjv-proverbs.txt", "plain"], recorded.PerplexityTexts.Order(StringComparer.Ordinal));
    }

    [RealModelTheory]
    [InlineData("chat")]
    [InlineData("code")]
    [InlineData("plain")]
    public void Logits_and_hidden_states_are_the_recorded_ones(string input)
    {
        using var recorded = Recorded();

        Assert.All(
            recorded.Differences(smolLm2.Model, input),
            difference => Assert.True(difference.Largest <= Tolerance, $"{difference.Name} is off by {difference.Largest:g3}"));
    }

    [RealModelFact]
    public void Greedy_texts_are_the_recorded_ones_token_for_token()
    {
        using var recorded = Recorded();

        Assert.Equal(5, recorded.Texts.Count);
        Assert.All(recorded.Texts, text => SameText.Assert(text, smolLm2.Model, smolLm2.Tokenizer));
    }

    [RealModelTheory]
    [InlineData("austen-persuasion-part.txt")]
    [InlineData("kjv-proverbs.txt")]
    [InlineData("plain")]
    public void Perplexity_of_a_text_is_the_recorded_one(string text)
    {
        using var recorded = Recorded();

        var pair = recorded.Perplexity(smolLm2.Model, smolLm2.Tokenizer, text);

        Close.Within(LossTolerance * pair.Tokens, 0, pair.LossSumDifference, $"{text}, sum of losses of {pair.Tokens} tokens");
        Close.Within(LossTolerance * pair.Recorded, pair.Recorded, pair.Ours, $"{text}, perplexity");
    }

    private static RecordedModel Recorded() => RecordedModel.SmolLm2(TestModels.Folder);
}
