using Microsoft.Extensions.Logging;

namespace LoraFhe;

/// <summary>What is logged, a method a message. No argument is a tensor or a span. Ids: 1000 training, 2000 hybrid, 3000 hints, 4000 files.</summary>
internal static partial class Log
{
    [LoggerMessage(EventIds.SessionStarted, LogLevel.Information, "=== Starting new training session ===")]
    public static partial void SessionStarted(ILogger logger);

    [LoggerMessage(EventIds.CompilationComplete, LogLevel.Information, "Compilation complete.")]
    public static partial void CompilationComplete(ILogger logger);

    [LoggerMessage(EventIds.Step, LogLevel.Information, "Step {Step}: loss={Loss:F6}, avg_loss={AverageLoss:F6}")]
    public static partial void Step(ILogger logger, int step, double loss, double averageLoss);

    [LoggerMessage(EventIds.GradientMagnitude, LogLevel.Information, "Average gradient magnitude: {Magnitude:F6}")]
    public static partial void GradientMagnitude(ILogger logger, double magnitude);

    [LoggerMessage(EventIds.EvaluationStarted, LogLevel.Information, "Running evaluation at step {Step}...")]
    public static partial void EvaluationStarted(ILogger logger, int step);

    [LoggerMessage(EventIds.Evaluation, LogLevel.Information, "[Evaluation at step {Step}] {Metrics:l}")]
    public static partial void Evaluation(ILogger logger, int step, string metrics);

    [LoggerMessage(EventIds.NoEvaluation, LogLevel.Information, "No evaluation data or metric function provided.")]
    public static partial void NoEvaluation(ILogger logger);

    [LoggerMessage(EventIds.EpochCompleted, LogLevel.Information, "Epoch {Epoch} completed. Avg Loss: {AverageLoss:F6}, FHE Mode: {Mode:l}")]
    public static partial void EpochCompleted(ILogger logger, int epoch, double averageLoss, string mode);

    [LoggerMessage(EventIds.TrainingCompleted, LogLevel.Information, "Training completed. Final Avg Loss: {AverageLoss:F6}, FHE Mode: {Mode:l}")]
    public static partial void TrainingCompleted(ILogger logger, double averageLoss, string mode);

    [LoggerMessage(EventIds.NothingToTrain, LogLevel.Warning, "Nothing to train: {Epochs} of {Wanted} epochs are done already.")]
    public static partial void NothingToTrain(ILogger logger, int epochs, int wanted);

    [LoggerMessage(EventIds.TrainingStopped, LogLevel.Warning, "Training stopped on request after step {Step}.")]
    public static partial void TrainingStopped(ILogger logger, int step);

    [LoggerMessage(EventIds.TrainingFailed, LogLevel.Warning, "Training ended early ({Error:l}). Called again, it goes on after step {Step}.")]
    public static partial void TrainingFailed(ILogger logger, string error, int step);

    [LoggerMessage(EventIds.LoraLayersDetected, LogLevel.Debug, "LoRA layers detected in the model.")]
    public static partial void LoraLayersDetected(ILogger logger);

    [LoggerMessage(EventIds.MasksThatHidPadding, LogLevel.Debug, "{Percent:F1} % of the encryption's masks so far hid padding.")]
    public static partial void MasksThatHidPadding(ILogger logger, double percent);

    [LoggerMessage(EventIds.CheckpointSaved, LogLevel.Information, "Checkpoint saved at {Path:l}")]
    public static partial void CheckpointSaved(ILogger logger, string path);

    [LoggerMessage(EventIds.CheckpointLoaded, LogLevel.Information, "Checkpoint loaded from {Path:l} (Epoch {Epoch}, Step {Step})")]
    public static partial void CheckpointLoaded(ILogger logger, string path, int epoch, int step);

    [LoggerMessage(EventIds.CheckpointSetAside, LogLevel.Warning, "Checkpoint {Path:l} is of another run: its name now ends in .previous.")]
    public static partial void CheckpointSetAside(ILogger logger, string path);

    [LoggerMessage(EventIds.ModelSaved, LogLevel.Information, "Model saved at {Path:l}")]
    public static partial void ModelSaved(ILogger logger, string path);

    [LoggerMessage(EventIds.ModelLoaded, LogLevel.Information, "Client's half of the model loaded from {Path:l}")]
    public static partial void ModelLoaded(ILogger logger, string path);
}
