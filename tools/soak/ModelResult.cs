using LoraFhe.Models;

namespace LoraFhe.Tools.Soak;

/// <summary>A model as it is, beside what was recorded of it.</summary>
/// <param name="Differences">Of logits and hidden states.</param>
/// <param name="Texts">Recorded greedy texts.</param>
/// <param name="EqualTexts">Those that are ours, token for token.</param>
/// <param name="Tokens">New tokens of all texts together.</param>
/// <param name="Perplexities">Of recorded texts.</param>
internal sealed record ModelResult(
    IReadOnlyList<Difference> Differences, int Texts, int EqualTexts, int Tokens, IReadOnlyList<PerplexityPair> Perplexities)
{
    public static ModelResult Of(RecordedModel recorded, CancellationToken cancellationToken)
    {
        using var model = CausalLanguageModel.FromPretrained(recorded.Folder);
        var tokenizer = PretrainedTokenizer.FromPretrained(recorded.Folder);
        var equal = recorded.Texts.Count(text =>
            text.PromptIds.SequenceEqual(tokenizer.Encode(text.Prompt)) && text.Ids.SequenceEqual(Continue(model, text, cancellationToken)));
        return new ModelResult(
            [.. recorded.Inputs.SelectMany(input => recorded.Differences(model, input))],
            recorded.Texts.Count,
            equal,
            recorded.Texts.Sum(text => text.Ids.Length),
            [.. recorded.PerplexityTexts.Select(text => recorded.Perplexity(model, tokenizer, text))]);
    }

    private static int[] Continue(CausalLanguageModel model, RecordedText text, CancellationToken cancellationToken) =>
        model.Generate(text.PromptIds, new GenerationOptions { MaxNewTokens = text.Ids.Length }, cancellationToken: cancellationToken);
}
