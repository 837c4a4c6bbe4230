using LoraFhe.Models;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace LoraFhe.Benchmarks;

/// <summary>A model with adapters, an optimizer and one batch: one program, whose steps differ in nothing but the mode.</summary>
internal sealed class StepProgram : IDisposable
{
    private const int FewTokens = 16;
    private readonly CausalLanguageModel _model;
    private readonly LoraModel _lora;
    private readonly optim.Optimizer _optimizer;
    private readonly IFheBackend _backend;
    private readonly LoraTrainer _trainer;
    private readonly Batch _batch;
    private readonly Batch _fewTokens;

    public StepProgram(StepPlan plan, MasksAheadOptions? masksAhead = null)
    {
        set_num_threads(plan.Threads);
        random.manual_seed(1);
        _model = plan.Model.Load();
        _lora = LoraModel.Apply(_model, new LoraConfig { R = 8, LoraAlpha = 16, TargetModules = TargetModules.AllLinear, TaskType = TaskType.CausalLm });
        _optimizer = optim.AdamW(_lora.TrainableParameters(), 1e-4);
        _backend = plan.Remote ? new RemoteBackend(plan.Threads) : new InProcessFheBackend(new InProcessFheOptions { MaxThreads = plan.Threads, MasksAhead = masksAhead });
        _trainer = new LoraTrainer(_lora, _optimizer, backend: _backend, logger: NullLogger.Instance);
        _batch = RandomTokens(plan.Batch, plan.Length);
        _fewTokens = RandomTokens(1, Math.Min(FewTokens, plan.Length));
    }

    /// <summary>What crossed so far.</summary>
    public FheTraffic Traffic => _backend.Traffic;

    /// <summary>The frozen layers; none before <see cref="Compile"/>.</summary>
    public IReadOnlyList<FheLayer> Layers => _trainer.HybridModel.Layers;

    /// <summary>Makes every mode but torch ready.</summary>
    public double Compile()
    {
        var start = TimeProvider.System.GetTimestamp();
        _trainer.Compile(_batch);
        return TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>One whole step: forward, backward, update of the adapters.</summary>
    /// <returns>Its seconds.</returns>
    public double Step(HybridFheMode mode)
    {
        var start = TimeProvider.System.GetTimestamp();
        _trainer.Train([_batch], numEpochs: 1, mode);
        return TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>A step of a few tokens: the same code for less arithmetic, so that the runtime compiles it for good before anything is timed.</summary>
    public void WarmUpStep(HybridFheMode mode) => _trainer.Train([_fewTokens], numEpochs: 1, mode);

    public void Dispose()
    {
        _trainer.Dispose();
        _backend.Dispose();
        _optimizer.Dispose();
        _lora.Dispose();
        _batch.Dispose();
        _fewTokens.Dispose();
    }

    private Batch RandomTokens(int texts, int length)
    {
        var ids = randint(0, _model.VocabularySize, [texts, length], int64);
        return new Batch([KeyValuePair.Create("input_ids", ids), KeyValuePair.Create("labels", ids)]);
    }
}
