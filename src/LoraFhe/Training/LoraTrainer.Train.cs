using static TorchSharp.torch;

namespace LoraFhe;

/// <content>The forms of data that training takes.</content>
public sealed partial class LoraTrainer
{
    /// <summary>Trains on named tensors: <see cref="Batch"/>es, an <see cref="IEpochLoader"/>, or a TorchSharp <c>DataLoader</c>.</summary>
    /// <param name="trainLoader">The batches of an epoch, enumerated anew for each. An <see cref="IEpochLoader"/> makes a resumed run see
    /// the same order as an uninterrupted one. Its length need not be known.</param>
    /// <param name="numEpochs">Epochs in all, those a loaded checkpoint has done included. After a finished run the count starts again.</param>
    /// <param name="fhe">How the frozen layers are computed; all but torch need <see cref="Compile"/> first. Execute makes its backend ready before the
    /// first batch, unless that was done: see <see cref="HybridFheModel.PrepareExecute"/>.</param>
    /// <param name="device">Where the client computes; null: the CPU.</param>
    /// <param name="progress">Told of each batch.</param>
    /// <param name="cancellationToken">Stops the making ready of a backend at once, and training at the end of the accumulation window under way, with a
    /// checkpoint if there is a folder for it.</param>
    /// <exception cref="ArgumentException">An argument is wrong: no epochs, no such mode, no batches, or fewer batches than a checkpoint has done.</exception>
    /// <exception cref="NotSupportedException">The device is not available, or the model computes layers without their adapters; the text names
    /// the layers and the cure.</exception>
    /// <exception cref="InvalidOperationException">The mode needs <see cref="Compile"/>, the model gives no usable loss, another adapter was set since the
    /// trainer was made, the model was disposed of, or another call is under way.</exception>
    /// <exception cref="NotFiniteNumberException">A loss or a gradient is not finite; the text names the step. No adapter was changed by it.</exception>
    /// <exception cref="InvalidDataException">In execute: the hint folder was made for other weights, or a hint is damaged; the text names the file.</exception>
    /// <exception cref="IOException">A checkpoint cannot be written; what was saved before is unchanged. Called again, it is written first.</exception>
    /// <exception cref="ObjectDisposedException">The trainer was disposed of, perhaps while it trained.</exception>
    /// <remarks>After any exception, that of the user's own code included, training stands at its last update: calling again goes on from there, with
    /// the same random numbers, and ends as if nothing had happened.</remarks>
    /// <exception cref="OperationCanceledException">Training was stopped; calling again goes on where it stopped.</exception>
    public void Train(
        IEnumerable<IReadOnlyDictionary<string, Tensor>> trainLoader,
        int numEpochs = 1,
        HybridFheMode fhe = HybridFheMode.Simulate,
        Device? device = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(trainLoader);
        var loader = trainLoader as IEnumerable<Batch> ?? trainLoader.Select(tensors => tensors as Batch ?? (tensors is null ? null! : new Batch(tensors)));
        TrainCore(TrainingPlan.Of(loader, TrainingPlan.LengthOf(trainLoader), numEpochs, fhe, device, progress, cancellationToken));
    }

    /// <summary>Trains on pairs of data and labels.</summary>
    /// <inheritdoc cref="Train(IEnumerable{IReadOnlyDictionary{string, Tensor}}, int, HybridFheMode, Device?, IProgress{TrainingProgress}?, CancellationToken)"/>
    public void Train(
        IEnumerable<(Tensor X, Tensor Labels)> trainLoader,
        int numEpochs = 1,
        HybridFheMode fhe = HybridFheMode.Simulate,
        Device? device = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(trainLoader);
        var loader = trainLoader.Select(pair => new Batch(pair.X, pair.Labels));
        TrainCore(TrainingPlan.Of(loader, TrainingPlan.LengthOf(trainLoader), numEpochs, fhe, device, progress, cancellationToken));
    }

    /// <summary>Trains on lists of data and labels, as a TorchSharp <c>IterableDataLoader</c> over a <c>TensorDataset</c> yields them.</summary>
    /// <inheritdoc cref="Train(IEnumerable{IReadOnlyDictionary{string, Tensor}}, int, HybridFheMode, Device?, IProgress{TrainingProgress}?, CancellationToken)"/>
    public void Train(
        IEnumerable<IList<Tensor>> trainLoader,
        int numEpochs = 1,
        HybridFheMode fhe = HybridFheMode.Simulate,
        Device? device = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(trainLoader);
        TrainCore(TrainingPlan.Of(trainLoader.Select(elements => elements is null ? null! : Batch.FromList(elements)), TrainingPlan.LengthOf(trainLoader), numEpochs, fhe, device, progress, cancellationToken));
    }
}
