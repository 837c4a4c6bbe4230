using LoraFhe.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>A model with fresh adapters and all that trains it: made anew for each mode, equal for equal seeds.</summary>
internal sealed class Experiment : IDisposable
{
    private const string Prompt = "My son,";
    private readonly RunOptions _options;
    private readonly PretrainedTokenizer _tokenizer;
    private readonly TextDataset _training;
    private readonly IEpochLoader _heldOut;
    private readonly LlamaForCausalLM _model;
    private readonly optim.Optimizer _optimizer;

    public Experiment(RunOptions options, PretrainedTokenizer tokenizer, TextDataset training, TextDataset heldOut, HybridFheMode mode, IFheBackend? backend, string? checkpoints)
    {
        _options = options;
        _tokenizer = tokenizer;
        _training = training;
        _heldOut = heldOut.Loader(options.Batch, seed: null);
        Mode = mode;
        random.manual_seed(options.Seed);
        _model = CausalLanguageModel.FromPretrained(options.Model);
        Lora = LoraModel.Apply(_model, new LoraConfig
        {
            R = options.Rank,
            LoraAlpha = options.Alpha,
            TargetModules = options.Targets == "all-linear" ? TargetModules.AllLinear : options.Targets.Split(','),
            TaskType = "CAUSAL_LM",
            BaseModelNameOrPath = Path.GetFileName(options.Model),
        });
        _optimizer = optim.AdamW(Lora.TrainableParameters(), options.LearningRate, weight_decay: 0);
        Trainer = new LoraTrainer(
            Lora, _optimizer, backend: backend, checkpointDir: checkpoints, trainLogPath: Path.Combine(options.Out, "training.log"), loggingSteps: 10);
    }

    public HybridFheMode Mode { get; }

    public LoraModel Lora { get; }

    public LoraTrainer Trainer { get; }
}
