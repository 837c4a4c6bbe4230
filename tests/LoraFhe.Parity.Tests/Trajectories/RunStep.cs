namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>One update of a run.</summary>
/// <param name="Update">What the trainer told of it.</param>
/// <param name="MicroLosses">The losses of its micro batches.</param>
/// <param name="ClippedNorm">The norm of the gradient that the optimizer got; null where nobody looked.</param>
/// <param name="RateAfter">The learning rate after the schedule's step.</param>
internal sealed record RunStep(TrainingUpdate Update, IReadOnlyList<double> MicroLosses, double? ClippedNorm, double RateAfter);
