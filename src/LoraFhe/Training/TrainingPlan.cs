using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>What one call of <see cref="LoraTrainer"/>'s Train was asked to do.</summary>
internal sealed record TrainingPlan
{
    public required IEnumerable<Batch> Loader { get; init; }

    /// <summary>Batches of an epoch, where the loader knows.</summary>
    public required int? EpochSteps { get; init; }

    /// <summary>Epochs in all.</summary>
    public required int Epochs { get; init; }

    public required HybridFheMode Mode { get; init; }

    public required Device Device { get; init; }

    public IProgress<TrainingProgress>? Progress { get; init; }

    public CancellationToken CancellationToken { get; init; }

    /// <exception cref="ArgumentOutOfRangeException"><paramref name="numEpochs"/> is less than 1, or <paramref name="fhe"/> no mode.</exception>
    public static TrainingPlan Of(
        IEnumerable<Batch> loader, int? epochSteps, int numEpochs, HybridFheMode fhe, Device? device,
        IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(numEpochs, 1);
        if (!Enum.IsDefined(fhe))
        {
            throw new ArgumentOutOfRangeException(nameof(fhe), Errors.UnknownMode(fhe));
        }

        return new TrainingPlan
        {
            Loader = loader,
            EpochSteps = epochSteps,
            Epochs = numEpochs,
            Mode = fhe,
            Device = device ?? CPU,
            Progress = progress,
            CancellationToken = cancellationToken,
        };
    }

    /// <summary>A loader's length, if it can be had without reading it.</summary>
    public static int? LengthOf<T>(IEnumerable<T> loader) => loader switch
    {
        IEpochLoader known => known.Count,
        DataLoader<Dictionary<string, Tensor>, Dictionary<string, Tensor>> stock => (int)stock.Count,
        DataLoader<IList<Tensor>, IList<Tensor>> stock => (int)stock.Count,
        _ => loader.TryGetNonEnumeratedCount(out var count) ? count : null,
    };
}
