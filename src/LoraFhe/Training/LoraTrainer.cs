using LoraFhe.Cryptography;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;
using static TorchSharp.torch.optim;
using static TorchSharp.torch.optim.lr_scheduler;

namespace LoraFhe;

/// <summary>Fine-tunes a model's LoRA adapters while its frozen linear layers are computed on encrypted data.</summary>
/// <remarks>
/// The model is changed in place and belongs to the trainer, which disposes of its wrappers but not of the model; optimizer, schedule,
/// loaders and a given backend or logger stay the caller's. Everything runs on the calling thread; a second one that calls meanwhile gets
/// an <see cref="InvalidOperationException"/>.
/// </remarks>
public sealed partial class LoraTrainer : IDisposable
{
    private readonly TrainableParameters _trainable;
    private readonly AccumulationWindow _window;
    private readonly List<double> _trainingLosses = [];
    private readonly GradientStatistics _gradientStats = new();
    private readonly UpdateSnapshot _lastUpdate;
    private readonly TrainerGate _gate;
    private readonly bool _ownsLogger;

    /// <summary>Prepares a model for training: replaces its linear layers, all but the first few, and makes them remote.</summary>
    /// <param name="model">A <c>LoraModel</c>, or a module with LoRA layers of its own.</param>
    /// <param name="optimizer">Updates the adapters.</param>
    /// <param name="lossFn">Loss of (logits, labels), a scalar; null: the model takes <c>labels</c> and returns its loss.</param>
    /// <param name="lrScheduler">Stepped once an update; null: none.</param>
    /// <param name="trainingArgs">Accumulation and clipping; null: the defaults.</param>
    /// <param name="nLayersToSkipForBackprop">Linear layers, the first in registration order, that need no backward product.</param>
    /// <param name="evalLoader">Evaluation batches with labels; null or an empty list: no evaluation. A TorchSharp <c>DataLoader</c> becomes one by
    /// <c>loader.Select(tensors => new Batch(tensors))</c>.</param>
    /// <param name="evalMetricFn">Metrics of a model on batches, such as <see cref="Metrics.Perplexity"/>; null: no evaluation.</param>
    /// <param name="loggingSteps">Every how many batches the loss is logged and gradient norms are kept.</param>
    /// <param name="evalSteps">Every how many batches the model is evaluated.</param>
    /// <param name="trainLogPath">The log file, appended to; unused if <paramref name="logger"/> is given.</param>
    /// <param name="checkpointDir">Where a checkpoint is written after each epoch and looked for by <see cref="Compile"/>; made if need be. Null: none.</param>
    /// <param name="backend">Computes the encrypted products; null: an <see cref="InProcessFheBackend"/>.</param>
    /// <param name="logger">Takes the log; null: <see cref="Lora.SetupLogger"/> with <paramref name="trainLogPath"/>.</param>
    /// <param name="forwardFn">Calls the model with a batch, where matching <c>forward</c>'s parameters by name does not serve; null: by name.</param>
    /// <param name="includeEmbeddingLayers">Whether embeddings and <c>lm_head</c> are computed remotely too, so that they need not be at the client.
    /// An embedding of V rows of D numbers is a product of one-hot rows: a token sends 4·V bytes and costs V·D multiply-adds, its gradient at the head 4·V bytes again,
    /// and the public matrix has V rows. False, the default: they stay with the client, which looks ids up without telling anybody.</param>
    /// <param name="includeLmHead">Whether <c>lm_head</c> alone is computed remotely too, and embeddings stay with the client.</param>
    /// <exception cref="ArgumentException">An argument or option is wrong (all faults of <paramref name="trainingArgs"/> are named), or the
    /// model has no LoRA layers or, without <paramref name="lossFn"/>, takes no labels; or nothing of it can be trained, or the optimizer has
    /// other parameters or needs a closure, or the schedule another optimizer.</exception>
    /// <exception cref="InvalidOperationException">The model is another trainer's already, disposed or not; or its adapters are merged or disabled. It is as it was.</exception>
    /// <exception cref="NotSupportedException">A layer cannot be replaced, or checkpoints are asked for and the optimizer cannot save its state.</exception>
    /// <exception cref="IOException">The log file or <paramref name="checkpointDir"/> cannot be used. The model is as it was.</exception>
    public LoraTrainer(
        nn.Module model,
        Optimizer optimizer,
        Func<Tensor, Tensor, Tensor>? lossFn = null,
        LRScheduler? lrScheduler = null,
        TrainingArguments? trainingArgs = null,
        int nLayersToSkipForBackprop = 1,
        IEnumerable<Batch>? evalLoader = null,
        Func<nn.Module, IEnumerable<Batch>, IReadOnlyDictionary<string, double>>? evalMetricFn = null,
        int loggingSteps = 1,
        int evalSteps = 10,
        string trainLogPath = "training.log",
        string? checkpointDir = null,
        IFheBackend? backend = null,
        ILogger? logger = null,
        Func<Batch, ModelOutput>? forwardFn = null,
        bool includeEmbeddingLayers = false,
        bool includeLmHead = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentOutOfRangeException.ThrowIfLessThan(loggingSteps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(evalSteps, 1);
        TrainingArguments = trainingArgs ?? new TrainingArguments();
        if (TrainingArguments.Validate() is { Count: > 0 } faults)
        {
            throw new ArgumentException(string.Join(" ", faults), nameof(trainingArgs));
        }

        if (checkpointDir is not null)
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(checkpointDir);
            OptimizerState.Savable(optimizer);
        }

        (Optimizer, LrScheduler) = (optimizer, lrScheduler);
        (EvalLoader, EvalMetricFn) = (evalLoader, evalMetricFn);
        (LoggingSteps, EvalSteps, CheckpointDir) = (loggingSteps, evalSteps, checkpointDir);
        (Logger, _ownsLogger) = (logger ?? Lora.SetupLogger(trainLogPath), logger is null);
        try
        {
            Log.SessionStarted(Logger);

            // What can be refused is refused before the model is changed.
            LoraTraining.Check(model, lossFn, forwardFn);
            OptimizerCheck.Fits(model, optimizer, lrScheduler);
            CheckpointFolder.Prepare(checkpointDir);
            LoraTrainingModule = new LoraTraining(model, nLayersToSkipForBackprop, lossFn, forwardFn);
            Log.LoraLayersDetected(Logger);
            RemoteNames = Lora.GetRemoteNames(LoraTrainingModule, includeEmbeddingLayers, includeLmHead);
            HybridModel = new HybridFheModel(LoraTrainingModule, RemoteNames, backend, Logger);
            _trainable = new TrainableParameters(LoraTrainingModule);
            _window = new AccumulationWindow(TrainingArguments);
            _lastUpdate = new UpdateSnapshot(HybridModel, LoraTrainingModule);
            _gate = new TrainerGate(Release);
        }
        catch
        {
            DisposeLogger();
            throw;
        }
    }

    /// <summary>Updates the adapters.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>Stepped once an update; null for none.</summary>
    public LRScheduler? LrScheduler { get; }

    /// <summary>Accumulation and clipping.</summary>
    public TrainingArguments TrainingArguments { get; }

    /// <summary>Batches that share an update.</summary>
    public int GradientAccumulationSteps => TrainingArguments.GradientAccumulationSteps;

    /// <summary>The norm that longer gradients are scaled down to; null for none.</summary>
    public double? MaxGradNorm => TrainingArguments.MaxGradNorm;

    /// <summary>Evaluation batches; null for none.</summary>
    public IEnumerable<Batch>? EvalLoader { get; }

    /// <summary>Computes the metrics; null for none.</summary>
    public Func<nn.Module, IEnumerable<Batch>, IReadOnlyDictionary<string, double>>? EvalMetricFn { get; }

    /// <summary>Every how many batches the loss is logged.</summary>
    public int LoggingSteps { get; }

    /// <summary>Every how many batches the model is evaluated.</summary>
    public int EvalSteps { get; }

    /// <summary>Where checkpoints are; null for nowhere.</summary>
    public string? CheckpointDir { get; }

    /// <summary>Takes the log.</summary>
    public ILogger Logger { get; }

    /// <summary>The model as a module that takes batches.</summary>
    public LoraTraining LoraTrainingModule { get; }

    /// <summary>The names of the remote modules below <see cref="LoraTrainingModule"/>.</summary>
    public IReadOnlyList<string> RemoteNames { get; }

    /// <summary>Computes the remote modules as the mode says.</summary>
    public HybridFheModel HybridModel { get; }

    /// <summary>Every batch's loss, unscaled; training adds to it.</summary>
    public IReadOnlyList<double> TrainingLosses => _trainingLosses;

    /// <summary>The L2 norms of each trainable parameter's gradient by its name, one entry a logged step; training adds to them.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<double>> GradientStats => _gradientStats;

    /// <summary>Loads the newest checkpoint, if there is one and this trainer is not further on, then quantizes the frozen layers and runs one batch to find which products
    /// are needed. It leaves no trace in gradients, generators or the batch. The backend is made ready when execute first begins.</summary>
    /// <param name="inputset">A typical batch with labels; it stays the caller's.</param>
    /// <param name="nBits">Bits of a frozen weight, sign included, 8 to 12; null: chosen for each layer.</param>
    /// <param name="useDynamicQuantization">True: a scale for each row. False: one for a layer, from this batch; longer rows are scaled down.</param>
    /// <param name="frozenLayers">The frozen layers' integers, as <see cref="FrozenLayerFile.Read"/> returns them, for a model that has none of its own after
    /// <see cref="LoadPrivateInfo"/> or <see cref="SaveAndClearPrivateInfo"/>; null: the model's weights are quantized.</param>
    /// <param name="progress">Told of each layer; and, when execute first begins, of each product that is made ready.</param>
    /// <param name="cancellationToken">Stops between layers.</param>
    /// <returns>Epochs that are complete and batches that are done, from the checkpoint; (0, 0) without one.</returns>
    /// <exception cref="ArgumentException"><paramref name="nBits"/> is not 8 to 12 or not that of <paramref name="frozenLayers"/>, these do not fit the model, the batch does
    /// not, or a layer's weights leave no room for its inputs.</exception>
    /// <exception cref="InvalidOperationException">The model was cleared, and there are no <paramref name="frozenLayers"/>; or it was disposed of.</exception>
    /// <exception cref="NotSupportedException">The model computes layers without their adapters; the text names the layers and the cure.</exception>
    /// <exception cref="InvalidDataException">The newest checkpoint is damaged or does not fit; the message names it. Nothing was loaded.</exception>
    public (int Epoch, int GlobalStep) Compile(
        Batch inputset,
        int? nBits = 8,
        bool useDynamicQuantization = true,
        IReadOnlyList<QuantizedLayer>? frozenLayers = null,
        IProgress<FheProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputset);
        if (nBits is < EncryptedLinearParameters.MinBits or > EncryptedLinearParameters.MaxBits)
        {
            throw new ArgumentException(Errors.BitsOption(nBits.Value), nameof(nBits));
        }

        using var work = _gate.Enter();
        cancellationToken.ThrowIfCancellationRequested();
        _trainable.EnsureAlive(LoraTrainingModule.InferenceModel);
        if (CheckpointDir is not null && CheckpointFolder.Newest(CheckpointDir) is { } newest && !IsFurtherOn(newest))
        {
            Load(newest);
        }

        var options = new HybridCompileOptions { Bits = nBits, UseDynamicQuantization = useDynamicQuantization, FrozenLayers = frozenLayers };
        HybridModel.CompileModel(() => LoraTrainingModule.call(inputset).Loss.Dispose(), options, progress, cancellationToken);
        Log.CompilationComplete(Logger);
        return (_position.Epoch, _position.GlobalStep);
    }

    /// <summary>The same as <see cref="TrainingLosses"/>: not a copy.</summary>
    public IReadOnlyList<double> GetTrainingLosses() => TrainingLosses;

    /// <summary>The same as <see cref="GradientStats"/>: not a copy.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<double>> GetGradientStats() => GradientStats;

    /// <summary>Writes what each side needs to its own folder and lets go of the frozen layers: <c>client</c>, <c>server</c>.</summary>
    /// <param name="path">The folder that gets the two.</param>
    /// <exception cref="InvalidOperationException">The model is not compiled, or training is under way. Nothing was written or changed.</exception>
    /// <exception cref="IOException">A file could not be written; the text names the folder. Nothing was cleared.</exception>
    public void SaveAndClearPrivateInfo(string path)
    {
        using var work = _gate.Enter();
        HybridModel.SaveAndClearPrivateInfo(path);
        Log.ModelSaved(Logger, path);
    }

    /// <summary>Takes up the client's half of a model that was saved, and lets go of this model's own frozen weights. <see cref="Compile"/> with the
    /// server's layers comes next. Optimizer, schedule and position are a checkpoint's, not this folder's: they stay as they are.</summary>
    /// <param name="clientFolder">The folder <c>client</c> that <see cref="SaveAndClearPrivateInfo"/> wrote.</param>
    /// <exception cref="FileNotFoundException">The folder has no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or foreign, or does not fit the model; the text names file and tensor. Nothing was changed.</exception>
    /// <exception cref="InvalidOperationException">Training is under way.</exception>
    public void LoadPrivateInfo(string clientFolder)
    {
        using var work = _gate.Enter();
        HybridModel.LoadPrivateInfo(clientFolder);
        Log.ModelLoaded(Logger, clientFolder);
    }

    /// <summary>Frees the compiled layers and closes the log file. The model stays. Training that is under way ends before its next batch with
    /// an <see cref="ObjectDisposedException"/>, and only then is anything freed.</summary>
    public void Dispose() => _gate.Close();

    private void Release()
    {
        HybridModel.Dispose();
        _lastUpdate.Dispose();
        DisposeLogger();
    }

    private void DisposeLogger()
    {
        if (_ownsLogger)
        {
            (Logger as IDisposable)?.Dispose();
        }
    }
}
