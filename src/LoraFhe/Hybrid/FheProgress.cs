namespace LoraFhe;

/// <summary>How far a compilation, or making its backend ready, has come.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="Layer">The layer just done; empty for <see cref="FheStage.Calibrate"/>.</param>
/// <param name="Completed">Steps of this stage that are done.</param>
/// <param name="Total">Steps of this stage.</param>
public readonly record struct FheProgress(FheStage Stage, string Layer, int Completed, int Total);
