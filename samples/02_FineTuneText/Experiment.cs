using LoraFhe.Models;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>A model with fresh adapters and all that trains it, made anew for each mode and equal for equal seeds.</summary>
internal sealed class Experiment : IDisposable
{
    private const string Prompt = "My son,";
    private readonly RunOptions _options;
    private readonly PrivateText _text;
    private readonly HybridFheMode _mode;
    private readonly CausalLanguageModel _model;
    private readonly LoraModel _lora;
    private readonly optim.Optimizer _optimizer;
    private readonly LoraTrainer _trainer;
    private readonly StepLoader _loader;

    public Experiment(RunOptions options, PrivateText text, HybridFheMode mode, ILogger logger, IFheBackend? backend, string? checkpoints, IReadOnlyList<int> finished)
    {
        (_options, _text, _mode) = (options, text, mode);
        var batches = text.Training.Loader(options.Batch, options.Seed);
        Steps = options.Epochs is { } epochs ? checked(epochs * batches.Count!.Value) : options.Steps!.Value;
        _loader = new StepLoader(batches, Steps, RunFolder.StepsPerCheckpoint, finished);
        random.manual_seed(options.Seed);
        _model = CausalLanguageModel.FromPretrained(options.Model);
        if (options.Length > _model.MaxPositions)
        {
            throw new WrongArgumentException($"--length {options.Length} is more than the model has positions for. Expected at most {_model.MaxPositions}.");
        }

        _lora = LoraModel.Apply(
            _model,
            new LoraConfig
            {
                R = options.Rank,
                LoraAlpha = options.Alpha,
                TargetModules = options.Targets == "all-linear" ? TargetModules.AllLinear : options.Targets.Split(',', StringSplitOptions.TrimEntries),
                TaskType = TaskType.CausalLm,
                BaseModelNameOrPath = Path.GetFileName(Path.TrimEndingDirectorySeparator(options.Model)),
            },
            options.Seed,
            logger);
        _optimizer = optim.AdamW(_lora.TrainableParameters(), options.LearningRate, weight_decay: 0);
        _trainer = new LoraTrainer(_lora, _optimizer, backend: backend, checkpointDir: checkpoints, logger: logger);
    }

    public int Steps { get; }

    /// <summary>What share of the tokens of an epoch's batches is padding.</summary>
    public double PaddingShare => _text.Training.PaddingShare(_options.Batch);

    public long TrainableParameters => _lora.GetNbTrainableParameters().Trainable;

    public IReadOnlyList<double> Losses => _trainer.GetTrainingLosses();

    /// <summary>Makes the mode ready.</summary>
    /// <returns>Steps that a checkpoint has done.</returns>
    public int Compile(CancellationToken cancellationToken)
    {
        using var batch = _text.Training.First(_options.Batch);
        return _trainer.Compile(batch, _options.Bits, cancellationToken: cancellationToken).GlobalStep;
    }

    /// <summary>Makes what execute needs besides, one product after the other.</summary>
    public void MakeHints(IProgress<FheProgress> progress, CancellationToken cancellationToken) =>
        _trainer.HybridModel.PrepareExecute(progress, cancellationToken);

    public void Train(IProgress<TrainingProgress> progress, CancellationToken cancellationToken) =>
        _trainer.Train(_loader, _loader.Epochs, _mode, progress: progress, cancellationToken: cancellationToken);

    public double Perplexity() =>
        _trainer.HybridModel.Run(_mode, () => Metrics.Perplexity(_lora, _text.HeldOut.Loader(_options.Batch))["perplexity"]);

    public string Sample(CancellationToken cancellationToken)
    {
        var options = new GenerationOptions { MaxNewTokens = _options.Quick ? 8 : 48, Temperature = 0.8, TopK = 40, Seed = _options.Seed };
        return Prompt + _trainer.HybridModel.Run(_mode, () => _model.Generate(_text.Tokenizer, Prompt, options, cancellationToken: cancellationToken));
    }

    public void SaveAdapter(string folder) => _lora.SavePretrained(folder);

    public void Dispose()
    {
        _trainer.Dispose();
        _optimizer.Dispose();
        _lora.Dispose();
    }
}
