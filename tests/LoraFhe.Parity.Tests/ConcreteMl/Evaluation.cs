namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>What a metric function saw and returned.</summary>
/// <param name="Training">Whether the model was in training mode.</param>
/// <param name="Loss">The mean loss.</param>
/// <param name="Batches">How many batches it is of.</param>
internal sealed record Evaluation(bool Training, double Loss, int Batches);
