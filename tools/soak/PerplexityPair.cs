namespace LoraFhe.Tools.Soak;

/// <summary>The perplexity of a text, recorded and ours.</summary>
/// <param name="Text">The text.</param>
/// <param name="Tokens">Tokens that were predicted.</param>
/// <param name="Recorded">By the real library.</param>
/// <param name="Ours">Here.</param>
/// <param name="LossSumDifference">Our sum of the tokens' losses, in nats, less the recorded one.</param>
internal sealed record PerplexityPair(string Text, int Tokens, double Recorded, double Ours, double LossSumDifference);
