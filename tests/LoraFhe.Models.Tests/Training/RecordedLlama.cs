using System.Text.Json.Nodes;
using LoraFhe.Fixtures;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>One of the recorded runs <c>concrete-ml/llama</c>: the model as it was at first, its data, and a trainer as the run had it.</summary>
internal sealed class RecordedLlama : ILogger, IDisposable
{
    private readonly Golden _golden = Golden.Open("concrete-ml/llama");

    public RecordedLlama(string run)
    {
        Name = run;
        Run = _golden.Json($"runs/{run}.json");
        Config = Run["config"];
        Case = _golden.Json("case.json");
        var architecture = JsonNode.Parse(File.ReadAllText(_golden.File("case.json")))!["config"]!.AsObject();
        architecture["model_type"] = "llama";
        Model = LoraModel.Apply(new LlamaForCausalLM(LlamaConfig.Parse(architecture.ToJsonString())), new LoraConfig
        {
            R = Case["lora"]["r"].AsInt32,
            LoraAlpha = Case["lora"]["lora_alpha"].AsDouble,
            TargetModules = Case["lora"]["target_modules"].AsStrings,
            TaskType = TaskType.CausalLm,
        });
        using var noGrad = no_grad();
        foreach (var (name, parameter) in Model.named_parameters())
        {
            using var initial = Tensor("init", name);
            parameter.copy_(initial);
        }
    }

    public string Name { get; }

    public GoldenJson Run { get; }

    public GoldenJson Config { get; }

    public GoldenJson Case { get; }

    public LoraModel Model { get; }

    public List<string> Log { get; } = [];

    public int Skip => Config["n_layers_to_skip_for_backprop"].AsInt32;

    public int Window => Config["gradient_accumulation_steps"].AsInt32;

    public HybridFheMode Mode => HybridFheModes.Parse(Config["fhe"].AsString);

    public Func<Tensor, Tensor, Tensor>? LossFn => Config["loss"].AsString == "model" ? null : CausalLoss;

    public List<Batch> TrainBatches => Batches("train", Config["n_train_batches"].AsInt32);

    /// <summary>The run whose tensors are this one's, where they were stored once.</summary>
    public string TensorsOf(string key) => !Run.Has(key) ? Name
        : Run[key].Element.ValueKind == System.Text.Json.JsonValueKind.String ? Run[key].AsString : Run[key]["run"].AsString;

    public List<Batch> Batches(string set, int count)
    {
        var rows = Config["rows"].IsNull ? int.MaxValue : Config["rows"].AsInt32;
        return [.. Enumerable.Range(0, count).Select(i => new Batch(new[] { "input_ids", "attention_mask", "labels" }.Select(key =>
        {
            using var whole = Tensor("data", $"{set}.{i}.{key}");
            return KeyValuePair.Create(key, whole.narrow(0, 0, Math.Min(rows, whole.shape[0])));
        })))];
    }

    public Tensor Tensor(string file, string name)
    {
        if (_golden.Tensors(file).Entry(name).DType == Safetensors.SafetensorsDType.I64)
        {
            var integers = _golden.Int64s(file, name);
            return tensor(integers.Values, integers.Shape);
        }

        var singles = _golden.Singles(file, name);
        return tensor(singles.Values, singles.Shape);
    }

    public optim.Optimizer Optimizer()
    {
        var options = Config["optimizer"];
        return options["type"].AsString == "sgd"
            ? optim.SGD(Model.TrainableParameters(), options["lr"].AsDouble)
            : optim.AdamW(Model.TrainableParameters(), options["lr"].AsDouble, weight_decay: options["weight_decay"].AsDouble);
    }

    public LoraTrainer Trainer(optim.Optimizer optimizer, string? checkpointDir = null, bool includeEmbeddingLayers = false) => new(
        Model, optimizer, LossFn,
        Config["scheduler"].IsNull ? null : Schedules.LinearWithWarmup(
            optimizer, Config["scheduler"]["num_warmup_steps"].AsInt32, Config["scheduler"]["num_training_steps"].AsInt32),
        new TrainingArguments
        {
            GradientAccumulationSteps = Window,
            MaxGradNorm = Config["max_grad_norm"].IsNull ? null : Config["max_grad_norm"].AsDouble,

            // The reference divides a short last window by the full count.
            LossScaling = LossScaling.Full,
        },
        Skip,
        Config["use_eval"].AsBoolean ? Batches("eval", 2) : null,
        Config["use_eval"].AsBoolean ? MeanLoss : null,
        Config["logging_steps"].AsInt32, Config["eval_steps"].AsInt32,
        checkpointDir: checkpointDir, logger: this, includeEmbeddingLayers: includeEmbeddingLayers);

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Log.Add(formatter(state, exception));

    public void Dispose()
    {
        Model.Dispose();
        _golden.Dispose();
    }

    private static Tensor CausalLoss(Tensor logits, Tensor labels) => nn.functional.cross_entropy(
        logits.narrow(1, 0, logits.shape[1] - 1).flatten(0, 1), labels.narrow(1, 1, labels.shape[1] - 1).reshape(-1), ignore_index: -100);

    private static Dictionary<string, double> MeanLoss(nn.Module model, IEnumerable<Batch> loader)
    {
        var invoker = new ModelInvoker(model);
        var losses = loader.Select(batch => (double)invoker.Invoke(batch).Loss!.item<float>()).ToList();
        return new Dictionary<string, double> { ["eval_loss"] = losses.Average(), ["n_batches"] = losses.Count };
    }
}
