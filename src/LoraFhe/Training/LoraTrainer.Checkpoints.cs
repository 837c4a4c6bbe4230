namespace LoraFhe;

/// <content>Saving and resuming.</content>
public sealed partial class LoraTrainer
{
    private int _scheduleSteps;

    /// <summary>Writes a checkpoint at once or not at all: adapters, optimizer, schedule, generators, losses and statistics; no frozen weight.</summary>
    /// <param name="epoch">Epochs that are complete.</param>
    /// <param name="globalStep">Batches that are done in all.</param>
    /// <returns>The file: <c>checkpoint_epoch_3.safetensors</c>, or <c>checkpoint_epoch_3_step_45.safetensors</c> in the midst of epoch 4.</returns>
    /// <exception cref="InvalidOperationException">There is no checkpoint folder, or an accumulation window is open.</exception>
    /// <exception cref="IOException">The file cannot be written; what was there is unchanged.</exception>
    public string SaveCheckpoint(int epoch, int globalStep)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(globalStep);
        if (CheckpointDir is null)
        {
            throw new InvalidOperationException(Errors.NoCheckpointDirectory);
        }

        if (_boundary != _position)
        {
            throw new InvalidOperationException(Errors.WindowIsOpen);
        }

        var position = _boundary with { Epoch = epoch, GlobalStep = globalStep };
        var path = CheckpointFolder.PathOf(CheckpointDir, position);
        CheckpointFile.Write(path, new Checkpoint
        {
            Position = position,
            ScheduleSteps = _scheduleSteps,
            Model = ModelState.Capture(LoraTrainingModule.InferenceModel),
            Optimizer = OptimizerState.Capture(Optimizer),
            RandomState = RandomState.Capture(),
            EpochRandomState = _epochRandomState,
            SimulationSeed = HybridModel.SimulationSeed,
            SimulationPosition = HybridModel.SimulationPosition,
            TrainingLosses = [.. _trainingLosses],
            GradientStats = _gradientStats.ToDictionary(entry => entry.Key, entry => entry.Value.ToArray()),
        });
        Log.CheckpointSaved(Logger, path);
        return path;
    }

    /// <summary>Takes up a run where a checkpoint left it; the next <c>Train</c> goes on from there. What does not fit changes nothing.</summary>
    /// <param name="path">The checkpoint's file.</param>
    /// <returns>Epochs that are complete and batches that are done.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is damaged, no checkpoint, of a later version, or of another model or optimizer; the message names it.</exception>
    /// <exception cref="InvalidOperationException">Training is under way, or this trainer's schedule is further on than the checkpoint's.</exception>
    public (int Epoch, int GlobalStep) LoadCheckpoint(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (_isRunning)
        {
            throw new InvalidOperationException(Errors.TrainingIsUnderWay);
        }

        var checkpoint = CheckpointFile.Read(path);
        Check(checkpoint, path);
        ModelState.Restore(LoraTrainingModule.InferenceModel, checkpoint.Model);
        ReplaySchedule(checkpoint.ScheduleSteps);
        OptimizerState.Restore(Optimizer, checkpoint.Optimizer, path);
        HybridModel.SeedSimulation(checkpoint.SimulationSeed, checkpoint.SimulationPosition);
        (_epochRandomState, _resumedRandomState) = (checkpoint.EpochRandomState, checkpoint.RandomState);
        _boundary = _position = checkpoint.Position;
        RestoreRecords(checkpoint);
        Log.CheckpointLoaded(Logger, path, _position.Epoch, _position.GlobalStep);
        return (_position.Epoch, _position.GlobalStep);
    }

    private void Check(Checkpoint checkpoint, string path)
    {
        ModelState.Check(LoraTrainingModule.InferenceModel, checkpoint.Model, path);
        if (checkpoint.ScheduleSteps > 0 && LrScheduler is null)
        {
            throw new InvalidDataException(Errors.NoSchedule(path));
        }

        if (checkpoint.ScheduleSteps < _scheduleSteps)
        {
            throw new InvalidOperationException(Errors.ScheduleAhead(path, checkpoint.ScheduleSteps, _scheduleSteps));
        }

        OptimizerState.Check(Optimizer, checkpoint.Optimizer, path);
    }

    // A schedule keeps no state of its own that could be loaded: it is stepped to where it was, and the optimizer's rates follow.
    private void ReplaySchedule(int steps)
    {
        for (; _scheduleSteps < steps; _scheduleSteps++)
        {
            LrScheduler!.step();
        }
    }

    private void RestoreRecords(Checkpoint checkpoint)
    {
        _trainingLosses.Clear();
        _trainingLosses.AddRange(checkpoint.TrainingLosses);
        _gradientStats.Clear();
        foreach (var (name, norms) in checkpoint.GradientStats)
        {
            _gradientStats.Add(name, [.. norms]);
        }
    }

    private void SaveIfWanted()
    {
        if (CheckpointDir is not null)
        {
            SaveCheckpoint(_position.Epoch, _position.GlobalStep);
        }
    }
}
