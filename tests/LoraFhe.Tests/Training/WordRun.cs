using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>A <see cref="WordMlp"/> under adapters, with its data and a trainer that may compute embedding and head remotely.</summary>
internal sealed class WordRun : IDisposable
{
    public WordRun(
        bool includeEmbeddingLayers = true, int seed = 42, string? checkpointDir = null, Func<LoraModel, optim.Optimizer>? optimizer = null,
        Func<LoraConfig, LoraConfig>? options = null, IFheBackend? backend = null, bool includeLmHead = false, params string[] targets)
    {
        manual_seed(seed);
        var config = new LoraConfig { R = 2, LoraAlpha = 8, TargetModules = targets is [] ? ["fc1", "fc2"] : targets };
        Model = LoraModel.Apply(new WordMlp(), options?.Invoke(config) ?? config);
        Optimizer = optimizer?.Invoke(Model) ?? optim.SGD(Model.TrainableParameters(), 0.5);
        Trainer = new LoraTrainer(
            Model, Optimizer, (logits, labels) => nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten()),
            checkpointDir: checkpointDir, backend: backend, logger: Logger, includeEmbeddingLayers: includeEmbeddingLayers, includeLmHead: includeLmHead);
        Trainer.HybridModel.SeedSimulation(seed);
        using var generator = new Generator(7);
        Batches = [.. Enumerable.Range(0, 4).Select(_ => new Batch(
            randint(0, WordMlp.Words, [3, 8], generator: generator), randint(0, WordMlp.Words, [3, 8], generator: generator)))];
    }

    public LoraModel Model { get; }

    public optim.Optimizer Optimizer { get; }

    public LoraTrainer Trainer { get; }

    public RecordingLogger Logger { get; } = new();

    public IReadOnlyList<Batch> Batches { get; }

    public IReadOnlyList<double> Losses => Trainer.GetTrainingLosses();

    /// <summary>Compiles unless the mode is torch, and trains one epoch.</summary>
    public WordRun Train(HybridFheMode mode, int? bits = 8)
    {
        if (mode != HybridFheMode.Torch)
        {
            Trainer.Compile(Batches[0], bits, cancellationToken: Cancellation.Token);
        }

        Trainer.Train(Batches, 1, mode, cancellationToken: Cancellation.Token);
        return this;
    }

    public void Dispose()
    {
        Trainer.Dispose();
        Optimizer.Dispose();
        Model.Dispose();
        foreach (var batch in Batches)
        {
            batch.Dispose();
        }
    }
}
