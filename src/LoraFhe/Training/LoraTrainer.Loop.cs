using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <content>The training loop.</content>
public sealed partial class LoraTrainer
{
    // Where training is, and where it was at the last update: what a checkpoint holds and an exception falls back to.
    private TrainingPosition _position = new();
    private TrainingPosition _boundary = new();

    // Torch's generator when the epoch under way began, and the one a checkpoint brought, until it is used.
    private byte[] _epochRandomState = [];
    private byte[]? _resumedRandomState;

    // Trained by adapters but not by this optimizer: their gradients must not add up.
    private IReadOnlyList<Parameter> _unoptimized = [];

    // The update that ended the window which was closed last; null while another is open.
    private TrainingUpdate? _update;

    private void TrainCore(TrainingPlan plan)
    {
        plan.CancellationToken.ThrowIfCancellationRequested();
        using var work = _gate.Enter();
        Begin(plan);
        try
        {
            TrainEpochs(plan);
        }
        catch (Exception exception)
        {
            FallBack(exception);
            throw;
        }
    }

    // The whole of training, in the order it happens.
    private void TrainEpochs(TrainingPlan plan)
    {
        SaveIfOwed();
        MakeReady(plan);
        while (_position.Epoch < plan.Epochs)
        {
            foreach (var (batch, isLast) in ReadEpoch(plan))
            {
                MicroBatch(batch, plan.Mode);
                LogStep();
                var closesWindow = _window.IsFull || isLast;
                if (closesWindow)
                {
                    FinishGradient();
                }

                EvaluateIfDue();
                if (closesWindow)
                {
                    Update();
                }

                Report(plan);
                StopIfAsked(plan, isLast);
            }

            EndEpoch(plan);
        }

        Complete(plan);
    }

    private void Begin(TrainingPlan plan)
    {
        _trainable.EnsureAlive(LoraTrainingModule.InferenceModel);
        _trainable.EnsureComplete();
        TrainingDevice.Use(plan.Device, _trainable, Optimizer);
        _unoptimized = _trainable.NotOf(Optimizer);
        LoraTrainingModule.InferenceModel.train();
        ClearGradients();
        if (!Evaluates)
        {
            Log.NoEvaluation(Logger);
        }

        if (_position.Epoch >= plan.Epochs)
        {
            Log.NothingToTrain(Logger, _position.Epoch, plan.Epochs);
        }

        _lastUpdate.Take(_resumedRandomState);
    }

    // Before the first batch, not in its midst: it takes long enough to be stopped.
    private void MakeReady(TrainingPlan plan)
    {
        if (plan.Mode == HybridFheMode.Execute && _position.Epoch < plan.Epochs)
        {
            HybridModel.PrepareExecute(progress: null, plan.CancellationToken);
        }
    }

    private IEnumerable<(Batch Batch, bool IsLast)> ReadEpoch(TrainingPlan plan)
    {
        // What a loader draws from torch's generator it must draw again to come to the same batches; what came after is put back then.
        var now = _resumedRandomState ?? RandomState.Capture();
        _resumedRandomState = null;
        if (_position.EpochStep == 0)
        {
            _epochRandomState = now;
        }

        RandomState.Restore(_epochRandomState);
        return EpochReader.Read(plan.Loader, _position.Epoch + 1, _position.EpochStep, plan.Device, afterSkip: () =>
        {
            if (_position.EpochStep > 0)
            {
                RandomState.Restore(now);
            }
        });
    }

    /// <summary>Forward and backward over one batch; everything made on the way is freed.</summary>
    private void MicroBatch(Batch batch, HybridFheMode mode)
    {
        _gate.ThrowIfClosed();
        using var scope = NewDisposeScope();
        _update = null;
        LoraTrainingModule.SetLossScalingFactor(_window.Add(batch));
        var loss = Forward(batch, mode);
        if (!_trainable.AnyGradient())
        {
            throw new InvalidOperationException(Errors.NoGradient);
        }

        var value = loss.ToDouble();
        _trainingLosses.Add(value);
        _window.AddLoss(value);
        _position = _position.Step(value);
    }

    private Tensor Forward(Batch batch, HybridFheMode mode)
    {
        try
        {
            return HybridModel.Forward<Batch, (Tensor Loss, Tensor? Unused)>(batch, mode).Loss;
        }
        catch (NotFiniteNumberException exception)
        {
            throw new NotFiniteNumberException(Errors.AtStep(_position.GlobalStep + 1, exception.Message), exception);
        }
    }

    private void LogStep()
    {
        if (_position.GlobalStep % LoggingSteps == 0)
        {
            Log.Step(Logger, _position.GlobalStep, _trainingLosses[^1], _position.AverageLoss);
            _window.CountLogged();
        }
    }

    /// <summary>Makes the summed gradient the window's, and keeps its norms if a step of the window was logged: before clipping.</summary>
    private void FinishGradient()
    {
        var window = _window.Close();
        _trainable.ScaleGradients(window.Factor);
        var norms = _trainable.GradientNorms();
        if (norms.FirstOrDefault(entry => !double.IsFinite(entry.Norm)).Name is { } broken)
        {
            throw new NotFiniteNumberException(Errors.AtStep(_position.GlobalStep, Errors.GradientNotFinite(broken)));
        }

        var rate = Optimizer.ParamGroups?.FirstOrDefault()?.LearningRate ?? double.NaN;
        _update = new TrainingUpdate(window.Loss, Math.Sqrt(norms.Sum(entry => entry.Norm * entry.Norm)), rate);
        if (window.Logged == 0)
        {
            return;
        }

        foreach (var (name, norm) in norms)
        {
            _gradientStats.Add(name, norm, window.Logged);
        }

        Log.GradientMagnitude(Logger, norms.Average(entry => entry.Norm));
    }

    // As in Python, an empty list is no evaluation data.
    [MemberNotNullWhen(true, nameof(EvalLoader), nameof(EvalMetricFn))]
    private bool Evaluates => EvalMetricFn is not null && EvalLoader is not null && !(EvalLoader.TryGetNonEnumeratedCount(out var count) && count == 0);

    private void EvaluateIfDue()
    {
        if (_position.GlobalStep % EvalSteps != 0 || !Evaluates)
        {
            return;
        }

        Log.EvaluationStarted(Logger, _position.GlobalStep);
        using var scope = NewDisposeScope();
        using var evaluation = new EvaluationMode(LoraTrainingModule.InferenceModel);
        var metrics = EvalMetricFn(LoraTrainingModule.InferenceModel, EvalLoader) ?? throw new InvalidOperationException(Errors.NoMetrics);
        Log.Evaluation(Logger, _position.GlobalStep, string.Join(
            ", ", metrics.Select(metric => string.Create(CultureInfo.InvariantCulture, $"{metric.Key}: {metric.Value:F4}"))));
    }

    private void Update()
    {
        using var scope = NewDisposeScope();
        if (MaxGradNorm is { } longest)
        {
            _trainable.ClipGradients(longest);
        }

        Optimizer.step()?.Dispose();
        ClearGradients();
        CommitUpdate();
        if (LrScheduler is not null)
        {
            // Counted first: a schedule that throws has moved on all the same.
            _scheduleSteps++;
            LrScheduler.step();
        }
    }

    private void Report(TrainingPlan plan) => plan.Progress?.Report(new TrainingProgress(
        _position.Epoch + 1, plan.Epochs, _position.GlobalStep, _position.EpochStep, plan.EpochSteps, _trainingLosses[^1], _position.AverageLoss, _update));

    /// <summary>Stops between updates only, so that what is saved is whole.</summary>
    private void StopIfAsked(TrainingPlan plan, bool isLast)
    {
        if (plan.CancellationToken.IsCancellationRequested && !isLast && _boundary == _position)
        {
            SaveIfWanted();
            Stop(plan);
        }
    }

    private void EndEpoch(TrainingPlan plan)
    {
        _position = _position.EndEpoch();
        CommitUpdate();
        _epochRandomState = _lastUpdate.RandomState;
        Log.EpochCompleted(Logger, _position.Epoch, _position.LastAverage!.Value, plan.Mode.ToPythonName());
        SaveIfWanted();
        if (plan.CancellationToken.IsCancellationRequested && _position.Epoch < plan.Epochs)
        {
            Stop(plan);
        }
    }

    private void Stop(TrainingPlan plan)
    {
        Log.TrainingStopped(Logger, _position.GlobalStep);
        throw new OperationCanceledException(plan.CancellationToken);
    }

    /// <summary>The next run counts from the beginning again.</summary>
    private void Complete(TrainingPlan plan)
    {
        if (plan.Mode == HybridFheMode.Execute)
        {
            Log.MasksThatHidPadding(Logger, 100 * HybridModel.Backend.Traffic.PaddingShare);
        }

        Log.TrainingCompleted(Logger, _position.LastAverage ?? double.NaN, plan.Mode.ToPythonName());
        _boundary = _position = new TrainingPosition();
    }

    private void ClearGradients()
    {
        using var scope = NewDisposeScope();
        Optimizer.zero_grad();
        foreach (var parameter in _unoptimized)
        {
            using var gradient = parameter.grad;
            gradient?.zero_().Dispose();
        }
    }
}
