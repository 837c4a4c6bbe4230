using LoraFhe.Tests.Training;
using Microsoft.Extensions.Logging.Abstractions;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.optim.lr_scheduler;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>A recorded run, made again with <see cref="LoraTrainer"/>.</summary>
internal sealed class TrajectoryRun : IDisposable
{
    private readonly ClippedGradients? _clipped;
    private readonly List<double> _microLosses = [];

    public TrajectoryRun(RecordedTrajectory recorded, RunOptions? options = null)
    {
        options ??= new RunOptions();
        Model = recorded.Adapt(recorded.BaseModel(options.Dequantized).to(options.Type));
        Optimizer = recorded.Optimizer(Model);
        _clipped = options.CheckpointDir is null ? new ClippedGradients(Optimizer) : null;
        Schedule = recorded.Schedule(_clipped ?? Optimizer);
        Trainer = new LoraTrainer(
            Model, _clipped ?? Optimizer, recorded.LossFn, Schedule,
            new TrainingArguments
            {
                GradientAccumulationSteps = recorded.AccumulationSteps,
                MaxGradNorm = recorded.MaxGradNorm,
                LossScaling = options.Scaling ?? recorded.Scaling,
            },
            checkpointDir: options.CheckpointDir, logger: NullLogger.Instance, includeLmHead: options.IncludeLmHead);
        Batches = recorded.Batches(options.Type);
    }

    public LoraModel Model { get; }

    public optim.Optimizer Optimizer { get; }

    public LRScheduler? Schedule { get; }

    public LoraTrainer Trainer { get; }

    public List<Batch> Batches { get; }

    /// <summary>The updates made here, in order.</summary>
    public List<RunStep> Steps { get; } = [];

    /// <summary>The adapters after each of them, by their recorded names.</summary>
    public List<IReadOnlyDictionary<string, Tensor>> Parameters { get; } = [];

    /// <summary>Trains one epoch.</summary>
    /// <param name="mode">How the frozen layers are computed.</param>
    /// <param name="first">The first batch.</param>
    /// <param name="stopAfter">The update after which training is to be stopped; null: none.</param>
    public TrajectoryRun Train(HybridFheMode mode = HybridFheMode.Torch, int first = 0, int? stopAfter = null)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation.Token);
        var progress = new ImmediateProgress<TrainingProgress>(done =>
        {
            Note(done);
            if (Steps.Count == stopAfter)
            {
                stop.Cancel();
            }
        });
        try
        {
            Trainer.Train(Batches.Skip(first).ToList(), 1, mode, progress: progress, cancellationToken: stop.Token);
        }
        catch (OperationCanceledException) when (stopAfter is not null)
        {
        }

        return this;
    }

    /// <summary>The adapters as they are, by their recorded names.</summary>
    public IReadOnlyDictionary<string, Tensor> Adapters() => Model.named_parameters()
        .Where(entry => entry.parameter.requires_grad)
        .ToDictionary(
            entry => entry.name.Replace("." + Model.ActiveAdapter, "", StringComparison.Ordinal),
            entry => entry.parameter.detach().clone().DetachFromDisposeScope(),
            StringComparer.Ordinal);

    public void Dispose()
    {
        foreach (var tensor in Parameters.SelectMany(step => step.Values))
        {
            tensor.Dispose();
        }

        Batches.ForEach(batch => batch.Dispose());
        Trainer.Dispose();
        Optimizer.Dispose();
        Model.Dispose();
    }

    private void Note(TrainingProgress done)
    {
        _microLosses.Add(done.Loss);
        if (done.Update is { } update)
        {
            Steps.Add(new RunStep(update, [.. _microLosses], _clipped?.Norm, Optimizer.ParamGroups.First().LearningRate));
            Parameters.Add(Adapters());
            _microLosses.Clear();
        }
    }
}
