using LoraFhe.Fixtures;

namespace LoraFhe.Tools.Soak;

/// <summary>What was recorded of a model before or after a fine-tuning.</summary>
internal sealed class RecordedEvaluation(GoldenJson evaluation, GoldenJson texts)
{
    /// <summary>Of the held-out text.</summary>
    public double Perplexity { get; } = evaluation["ppl"].AsDouble;

    /// <summary>Tokens that are predicted.</summary>
    public int Tokens { get; } = evaluation["tokens"].AsInt32;

    /// <summary>Greedy continuations.</summary>
    public IReadOnlyList<RecordedText> Texts { get; } = [.. texts.Items.Select(text => new RecordedText(text))];
}
