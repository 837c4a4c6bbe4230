using Microsoft.Extensions.Logging;

namespace LoraFhe;

/// <summary>What is logged, a method a message. No argument is a tensor or a span. Ids: 1000 training, 2000 hybrid, 3000 hints, 4000 files.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Information, "=== Starting new training session ===")]
    public static partial void SessionStarted(ILogger logger);

    [LoggerMessage(1001, LogLevel.Information, "Compilation complete.")]
    public static partial void CompilationComplete(ILogger logger);

    [LoggerMessage(1002, LogLevel.Information, "Step {Step}: loss={Loss:F6}, avg_loss={AverageLoss:F6}")]
    public static partial void Step(ILogger logger, int step, double loss, double averageLoss);

    [LoggerMessage(1003, LogLevel.Information, "Average gradient magnitude: {Magnitude:F6}")]
    public static partial void GradientMagnitude(ILogger logger, double magnitude);

    [LoggerMessage(1004, LogLevel.Information, "Running evaluation at step {Step}...")]
    public static partial void EvaluationStarted(ILogger logger, int step);

    [LoggerMessage(1005, LogLevel.Information, "[Evaluation at step {Step}] {Metrics:l}")]
    public static partial void Evaluation(ILogger logger, int step, string metrics);

    [LoggerMessage(1006, LogLevel.Information, "No evaluation data or metric function provided.")]
    public static partial void NoEvaluation(ILogger logger);

    [LoggerMessage(1007, LogLevel.Information, "Epoch {Epoch} completed. Avg Loss: {AverageLoss:F6}, FHE Mode: {Mode:l}")]
    public static partial void EpochCompleted(ILogger logger, int epoch, double averageLoss, string mode);

    [LoggerMessage(1008, LogLevel.Information, "Training completed. Final Avg Loss: {AverageLoss:F6}, FHE Mode: {Mode:l}")]
    public static partial void TrainingCompleted(ILogger logger, double averageLoss, string mode);

    [LoggerMessage(1009, LogLevel.Warning, "Nothing to train: {Epochs} of {Wanted} epochs are done already.")]
    public static partial void NothingToTrain(ILogger logger, int epochs, int wanted);

    [LoggerMessage(1010, LogLevel.Warning, "Training stopped on request after step {Step}.")]
    public static partial void TrainingStopped(ILogger logger, int step);

    [LoggerMessage(1011, LogLevel.Debug, "LoRA layers detected in the model.")]
    public static partial void LoraLayersDetected(ILogger logger);

    [LoggerMessage(4000, LogLevel.Information, "Checkpoint saved at {Path:l}")]
    public static partial void CheckpointSaved(ILogger logger, string path);

    [LoggerMessage(4001, LogLevel.Information, "Checkpoint loaded from {Path:l} (Epoch {Epoch}, Step {Step})")]
    public static partial void CheckpointLoaded(ILogger logger, string path, int epoch, int step);

    [LoggerMessage(4002, LogLevel.Information, "Model saved at {Path:l}")]
    public static partial void ModelSaved(ILogger logger, string path);
}
