namespace LoraFhe;

/// <summary>What <see cref="LoraTrainer"/> tells of a batch that is done.</summary>
/// <param name="Epoch">The epoch under way, counted from 1.</param>
/// <param name="Epochs">Epochs in all, resumed ones included.</param>
/// <param name="GlobalStep">Batches done in all epochs.</param>
/// <param name="EpochStep">Batches done in this epoch.</param>
/// <param name="EpochSteps">Batches of an epoch; null if the loader does not know.</param>
/// <param name="Loss">The batch's loss, unscaled.</param>
/// <param name="AverageLoss">The mean loss of this epoch's batches so far.</param>
/// <param name="Update">The update that was made with the batch; null where the batch did not end its accumulation window.</param>
public readonly record struct TrainingProgress(
    int Epoch, int Epochs, int GlobalStep, int EpochStep, int? EpochSteps, double Loss, double AverageLoss, TrainingUpdate? Update = null);
