using LoraFhe.Fixtures;

namespace LoraFhe.Tools.Soak;

/// <summary>What was recorded of a model before or after a fine-tuning.</summary>
internal sealed class RecordedEvaluation(GoldenJson evaluation, GoldenJson texts)
{
    /// <summary>Of the held-out text.</summary>
    public double Perplexity { get; } = evaluation["ppl"].AsDouble;

    /// <summary>Tokens of it that are predicted.</summary>
    public int Tokens { get; } = evaluation["tokens"].AsInt32;

    /// <summary>The sum of their losses, in nats.</summary>
    public double LossSum { get; } = evaluation["nll_sum"].AsDouble;

    /// <summary>Greedy continuations.</summary>
    public IReadOnlyList<RecordedText> Texts { get; } = [.. texts.Items.Select(text => new RecordedText(text))];
}
