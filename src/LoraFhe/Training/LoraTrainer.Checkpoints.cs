namespace LoraFhe;

/// <content>Saving and resuming.</content>
public sealed partial class LoraTrainer
{
    private int _scheduleSteps;
    private bool _saveIsOwed;

    /// <summary>Writes a checkpoint at once or not at all: adapters, optimizer, schedule, generators, losses and statistics; no frozen weight.</summary>
    /// <param name="epoch">Epochs that are complete.</param>
    /// <param name="globalStep">Batches that are done in all.</param>
    /// <returns>The file: <c>checkpoint_epoch_3.safetensors</c>, or <c>checkpoint_epoch_3_step_45.safetensors</c> in the midst of epoch 4.</returns>
    /// <remarks>Checkpoints with higher numbers, which an earlier run left, are renamed to end in <c>.previous</c>: the newest is always the
    /// one that was saved last.</remarks>
    /// <exception cref="InvalidOperationException">There is no checkpoint folder, an accumulation window is open, another
    /// thread trains, or another adapter was set, or adapters are disabled.</exception>
    /// <exception cref="NotFiniteNumberException">What would be saved is not finite. Nothing was written.</exception>
    /// <exception cref="IOException">The file cannot be written; what was there is unchanged.</exception>
    public string SaveCheckpoint(int epoch, int globalStep)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(globalStep);
        if (CheckpointDir is null)
        {
            throw new InvalidOperationException(Errors.NoCheckpointDirectory);
        }

        using var work = _gate.EnterOrJoin();
        if (_boundary != _position)
        {
            throw new InvalidOperationException(Errors.WindowIsOpen);
        }

        _trainable.EnsureComplete();
        if (!_trainable.All.Any(entry => entry.Parameter.requires_grad))
        {
            throw new InvalidOperationException(Errors.CheckpointWithoutAdapter);
        }

        if (ModelState.NotFinite(LoraTrainingModule.InferenceModel) is { } name)
        {
            throw new NotFiniteNumberException(Errors.CheckpointNotFinite(name));
        }

        var position = _boundary with { Epoch = epoch, GlobalStep = globalStep };
        var path = CheckpointFolder.PathOf(CheckpointDir, position);
        var checkpoint = new Checkpoint
        {
            Position = position,
            ScheduleSteps = _scheduleSteps,
            Model = ModelState.Capture(LoraTrainingModule.InferenceModel),
            Optimizer = OptimizerState.Capture(Optimizer),
            // After an exception or a load, torch's generator is not yet where the next batch will find it.
            RandomState = _resumedRandomState ?? RandomState.Capture(),
            EpochRandomState = _epochRandomState,
            SimulationSeed = HybridModel.SimulationSeed,
            SimulationPosition = HybridModel.SimulationPosition,
            TrainingLosses = [.. _trainingLosses],
            GradientStats = _gradientStats.ToDictionary(entry => entry.Key, entry => entry.Value.ToArray()),
        };
        Write(path, checkpoint);
        Log.CheckpointSaved(Logger, path);
        return path;
    }

    private void Write(string path, Checkpoint checkpoint)
    {
        try
        {
            CheckpointFile.Write(path, checkpoint);
            foreach (var other in CheckpointFolder.SetAsideAfter(CheckpointDir!, path))
            {
                Log.CheckpointSetAside(Logger, other);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new IOException(Errors.CheckpointNotWritten(path, exception.Message), exception);
        }
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
        using var work = _gate.Enter();
        return Load(path);
    }

    private (int Epoch, int GlobalStep) Load(string path)
    {
        var checkpoint = CheckpointFile.Read(path);
        Check(checkpoint, path);

        // First what the user's own code may still refuse.
        ReplaySchedule(checkpoint.ScheduleSteps);
        ModelState.Restore(LoraTrainingModule.InferenceModel, checkpoint.Model);
        OptimizerState.Restore(Optimizer, checkpoint.Optimizer, path);
        HybridModel.SeedSimulation(checkpoint.SimulationSeed, checkpoint.SimulationPosition);
        (_epochRandomState, _resumedRandomState) = (checkpoint.EpochRandomState, checkpoint.RandomState);
        _boundary = _position = checkpoint.Position;
        _saveIsOwed = false;
        RestoreRecords(checkpoint);
        Log.CheckpointLoaded(Logger, path, _position.Epoch, _position.GlobalStep);
        return (_position.Epoch, _position.GlobalStep);
    }

    // Compiling again in the midst of a run, after an encrypted session failed for one, must not go back to an older checkpoint.
    private bool IsFurtherOn(string checkpoint)
    {
        var (epoch, step) = CheckpointFolder.PositionOf(checkpoint);
        return _boundary.GlobalStep > 0 && (epoch < _boundary.Epoch || (epoch == _boundary.Epoch && (step ?? 0) <= _boundary.GlobalStep));
    }

    private void Check(Checkpoint checkpoint, string path)
    {
        ModelState.Check(LoraTrainingModule.InferenceModel, checkpoint.Model, path);
        RandomState.Check(checkpoint.RandomState, path);
        RandomState.Check(checkpoint.EpochRandomState, path);
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
        _gradientStats.Replace(checkpoint.GradientStats);
    }

    private void SaveIfWanted()
    {
        if (CheckpointDir is not null)
        {
            // Until it is done, it is owed: the next call of Train makes up for it.
            _saveIsOwed = true;
            SaveCheckpoint(_position.Epoch, _position.GlobalStep);
            _saveIsOwed = false;
        }
    }
}
