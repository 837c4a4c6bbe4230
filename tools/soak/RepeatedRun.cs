using LoraFhe.Models;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace LoraFhe.Tools.Soak;

/// <summary>A recorded fine-tuning done again here: the same model, initial adapter, batches and optimizer; frozen layers in the mode asked for.</summary>
internal sealed class RepeatedRun : IDisposable
{
    private const int Bits = 8;
    private readonly RecordedRun _recorded;
    private readonly HybridFheMode _mode;
    private readonly CausalLanguageModel _model;
    private readonly LoraModel _lora;
    private readonly optim.Optimizer _optimizer;
    private readonly LoraTrainer _trainer;

    /// <param name="recorded">The run.</param>
    /// <param name="mode">How frozen layers are computed, in training and in evaluation.</param>
    /// <param name="backend">Computes the encrypted products; null: in memory.</param>
    public RepeatedRun(RecordedRun recorded, HybridFheMode mode, IFheBackend? backend = null)
    {
        (_recorded, _mode) = (recorded, mode);
        _model = CausalLanguageModel.FromPretrained(recorded.ModelFolder);
        _lora = LoraModel.FromPretrained(_model, recorded.InitialAdapter, isTrainable: true);
        _optimizer = optim.AdamW(_lora.TrainableParameters(), recorded.LearningRate, weight_decay: 0);
        _trainer = new LoraTrainer(_lora, _optimizer, backend: backend, logger: NullLogger.Instance);
    }

    /// <summary>One a step.</summary>
    public IReadOnlyList<double> Losses => _trainer.GetTrainingLosses();

    /// <summary>Of all adapters together, in the first step.</summary>
    public double FirstGradientNorm => Math.Sqrt(_trainer.GetGradientStats().Values.Sum(norms => norms[0] * norms[0]));

    /// <summary>Makes the mode ready; torch needs nothing.</summary>
    public void Compile(IProgress<FheProgress>? progress, CancellationToken cancellationToken)
    {
        if (_mode != HybridFheMode.Torch)
        {
            var typical = _recorded.Batches(1);
            _trainer.Compile(typical[0], Bits, progress: progress, cancellationToken: cancellationToken);
            typical.ForEach(batch => batch.Dispose());
        }

        if (_mode == HybridFheMode.Execute)
        {
            _trainer.HybridModel.PrepareExecute(progress, cancellationToken);
        }
    }

    /// <summary>Trains on the first recorded batches.</summary>
    public void Train(int steps, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        var batches = _recorded.Batches(steps);
        try
        {
            _trainer.Train(batches, numEpochs: 1, _mode, progress: progress, cancellationToken: cancellationToken);
        }
        finally
        {
            batches.ForEach(batch => batch.Dispose());
        }
    }

    /// <summary>Of the recorded held-out text.</summary>
    public double Perplexity()
    {
        var windows = _recorded.HeldOut();
        try
        {
            return _trainer.HybridModel.Run(_mode, () => Metrics.Perplexity(_lora, windows)["perplexity"]);
        }
        finally
        {
            windows.ForEach(window => window.Dispose());
        }
    }

    /// <summary>Continues the prompts of recorded texts, each as long as it was recorded.</summary>
    public int[][] Continue(IReadOnlyList<RecordedText> texts, CancellationToken cancellationToken)
    {
        var options = new GenerationOptions { MaxNewTokens = texts.Max(text => text.Ids.Length) };
        var prompts = texts.Select(IReadOnlyList<int> (text) => text.PromptIds).ToList();
        return _trainer.HybridModel.Run(_mode, () => _model.Generate(prompts, options, cancellationToken: cancellationToken));
    }

    public void Dispose()
    {
        _trainer.Dispose();
        _optimizer.Dispose();
        _lora.Dispose();
    }
}
