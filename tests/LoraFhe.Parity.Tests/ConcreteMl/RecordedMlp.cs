using LoraFhe.Fixtures;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>The recorded runs <c>concrete-ml/mlp</c>: the model as it was at first, its data, and a trainer as a run had it.</summary>
internal sealed class RecordedMlp : IDisposable
{
    private readonly Golden _golden = Golden.Open("concrete-ml/mlp");

    public RecordedMlp(string run)
    {
        Name = run;
        Run = _golden.Json($"runs/{run}.json");
        Config = Run["config"];
        Case = _golden.Json("case.json");
        Model = LoraModel.Apply(new Mlp([32, 64, 64, 64, 10]), new LoraConfig { R = 4, LoraAlpha = 8, TargetModules = ["fc1", "fc2", "fc3", "fc4"] });
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

    public RecordingLogger Logger { get; } = new();

    public List<bool> TrainingFlagsInsideMetric { get; } = [];

    public int Skip => Config["n_layers_to_skip_for_backprop"].AsInt32;

    public HybridFheMode Mode => HybridFheModes.Parse(Config["fhe"].AsString);

    private bool IsMse => Config["loss"].AsString == "mse";

    public Func<Tensor, Tensor, Tensor> LossFn => IsMse
        ? (logits, labels) => nn.functional.mse_loss(logits, labels)
        : (logits, labels) => nn.functional.cross_entropy(logits, labels);

    public List<Batch> TrainBatches => Batches("train", Config["n_train_batches"].AsInt32);

    public Batch Inputset => Batches("inputset", 1)[0];

    public List<Batch> Batches(string set, int count) => [.. Enumerable.Range(0, count).Select(i => new Batch(
        Tensor("data", $"{set}.{i}.x"), Tensor("data", $"{set}.{i}.{(IsMse ? "y_mse" : "y_ce")}")))];

    public Tensor Tensor(string file, string name) => _golden.Tensors(file).Entry(name).DType == Safetensors.SafetensorsDType.I64
        ? tensor(_golden.Int64s(file, name).Values, _golden.Int64s(file, name).Shape)
        : tensor(_golden.Singles(file, name).Values, _golden.Singles(file, name).Shape);

    public optim.Optimizer Optimizer()
    {
        var options = Config["optimizer"];
        return options["type"].AsString == "sgd"
            ? optim.SGD(Model.TrainableParameters(), options["lr"].AsDouble)
            : optim.AdamW(Model.TrainableParameters(), options["lr"].AsDouble, weight_decay: options["weight_decay"].AsDouble);
    }

    public LoraTrainer Trainer(optim.Optimizer optimizer, string? checkpointDir = null, ILogger? logger = null) => new(
        Model, optimizer, LossFn,
        Config["scheduler"].IsNull ? null : Schedules.LinearWithWarmup(
            optimizer, Config["scheduler"]["num_warmup_steps"].AsInt32, Config["scheduler"]["num_training_steps"].AsInt32),
        new TrainingArguments
        {
            GradientAccumulationSteps = Config["gradient_accumulation_steps"].AsInt32,
            MaxGradNorm = Config["max_grad_norm"].IsNull ? null : Config["max_grad_norm"].AsDouble,

            // The reference divides a short last window by the full count (defect 4).
            LossScaling = LossScaling.Full,
        },
        Skip,
        Config["use_eval"].AsBoolean ? Batches("eval", 2) : null,
        Config["use_eval"].AsBoolean ? MeanLoss : null,
        Config["logging_steps"].AsInt32, Config["eval_steps"].AsInt32,
        checkpointDir: checkpointDir, logger: logger ?? Logger);

    private Dictionary<string, double> MeanLoss(nn.Module model, IEnumerable<Batch> loader)
    {
        TrainingFlagsInsideMetric.Add(model.training);
        var invoker = new ModelInvoker(model);
        var losses = loader.Select(batch => (double)LossFn(invoker.Invoke(batch).Logits!, batch.Labels!).item<float>()).ToList();
        return new Dictionary<string, double> { ["eval_loss"] = losses.Average(), ["n_batches"] = losses.Count };
    }

    public void Dispose()
    {
        Model.Dispose();
        _golden.Dispose();
    }
}
