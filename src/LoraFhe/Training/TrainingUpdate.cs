namespace LoraFhe;

/// <summary>What <see cref="LoraTrainer"/> tells of an update of the adapters.</summary>
/// <param name="Loss">The loss that was made smaller: the window's losses as <see cref="LossScaling"/> weighs them.</param>
/// <param name="GradientNorm">The L2 norm of its gradient over all trainable parameters, before clipping.</param>
/// <param name="LearningRate">The rate that the update was made with, of the optimizer's first group: before the schedule's step. Not a number where
/// the optimizer has no groups.</param>
public readonly record struct TrainingUpdate(double Loss, double GradientNorm, double LearningRate);
