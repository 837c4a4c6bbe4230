using static TorchSharp.torch;
using static TorchSharp.torch.optim.lr_scheduler;

namespace LoraFhe.Tests.Training;

/// <summary>A small model with everything that a resumed run must take up: dropout, a shuffled loader, momentum, a schedule, accumulation.</summary>
internal sealed class SmallRun : IDisposable
{
    private const int Rows = 26;
    private readonly Tensor _x;
    private readonly Tensor _labels;

    public SmallRun(
        string? checkpointDir = null, int seed = 1, bool adamW = true, TrainingArguments? arguments = null, double dropout = 0.2,
        IFheBackend? backend = null, Func<Tensor, Tensor, Tensor>? lossFn = null,
        Func<LoraModel, optim.Optimizer>? optimizer = null,
        Func<nn.Module, IEnumerable<Batch>, IReadOnlyDictionary<string, double>>? evalMetricFn = null, int evalSteps = 4,
        int loggingSteps = 1, nn.Module? network = null)
    {
        // Data and initial values are the same in every run; what comes after is the seed's.
        manual_seed(42);
        _x = randn(Rows, 6);
        _labels = randint(0, 3, [Rows]);
        Model = LoraModel.Apply(network ?? new Mlp([6, 12, 10, 3], t => t.tanh()), new LoraConfig
        {
            R = 2,
            LoraAlpha = 4,
            LoraDropout = dropout,
            TargetModules = ["fc1", "fc2", "fc3"],
        });
        Optimizer = optimizer?.Invoke(Model) ?? (adamW
            ? optim.AdamW(Model.TrainableParameters(), 0.02)
            : optim.SGD(Model.TrainableParameters(), 0.05, momentum: 0.9));
        Scheduler = Schedules.CosineWithWarmup(Optimizer, 2, 14);
        Loader = new ShuffledLoader(_x, _labels, batchSize: 4, seed: 3);
        Trainer = new LoraTrainer(
            Model, Optimizer, lossFn ?? ((logits, labels) => nn.functional.cross_entropy(logits, labels)), Scheduler,
            arguments ?? new TrainingArguments { GradientAccumulationSteps = 2, MaxGradNorm = 0.5 },
            evalLoader: evalMetricFn is null ? null : [Inputset], evalMetricFn: evalMetricFn, loggingSteps: loggingSteps, evalSteps: evalSteps,
            checkpointDir: checkpointDir, backend: backend, logger: Logger);
        manual_seed(seed);
        Trainer.HybridModel.SeedSimulation(seed);
    }

    public LoraModel Model { get; }

    public optim.Optimizer Optimizer { get; }

    public LRScheduler Scheduler { get; }

    public ShuffledLoader Loader { get; }

    public LoraTrainer Trainer { get; }

    public RecordingLogger Logger { get; } = new();

    public Batch Inputset => new(_x.narrow(0, 0, 4), _labels.narrow(0, 0, 4));

    public IReadOnlyList<double> Losses => Trainer.GetTrainingLosses();

    /// <summary>All adapters' values, for bitwise comparison.</summary>
    public float[] Weights()
    {
        using var scope = NewDisposeScope();
        return [.. Model.TrainableParameters().SelectMany(parameter => parameter.detach().data<float>().ToArray())];
    }

    /// <summary>Compiles unless the mode is torch, then trains.</summary>
    public void Train(HybridFheMode mode, int epochs, IProgress<TrainingProgress>? progress = null, CancellationToken? token = null)
    {
        if (mode == HybridFheMode.Torch)
        {
            if (Trainer.CheckpointDir is { } folder && CheckpointFolder.Newest(folder) is { } newest)
            {
                Trainer.LoadCheckpoint(newest);
            }
        }
        else
        {
            Trainer.Compile(Inputset, cancellationToken: Cancellation.Token);
        }

        Trainer.Train(Loader, epochs, mode, progress: progress, cancellationToken: token ?? Cancellation.Token);
    }

    /// <summary>Trains until a batch is done, and then asks to stop.</summary>
    public void TrainUntil(int globalStep, HybridFheMode mode, int epochs)
    {
        using var source = new CancellationTokenSource();
        var stop = new ImmediateProgress<TrainingProgress>(done =>
        {
            if (done.GlobalStep == globalStep)
            {
                source.Cancel();
            }
        });
        Assert.Throws<OperationCanceledException>(() => Train(mode, epochs, stop, source.Token));
    }

    public void Dispose()
    {
        Trainer.Dispose();
        Optimizer.Dispose();
        Model.Dispose();
        _x.Dispose();
        _labels.Dispose();
    }
}
