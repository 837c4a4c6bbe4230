using System.Text.Json;
using LoraFhe.Fixtures;
using Microsoft.Extensions.Logging;
using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>One of the reference's runs: the model as it was at first, its data, and a trainer as the run had it.</summary>
internal sealed class RecordedRun : IDisposable
{
    private readonly Golden _golden;

    /// <summary>Opens a run.</summary>
    /// <param name="name">The model and the run: <c>mlp/torch_skip1_ce_sgd</c>.</param>
    /// <param name="precision">What to compute in.</param>
    public RecordedRun(string name, ScalarType precision = ScalarType.Float32)
    {
        (ModelName, Name) = Parts(name);
        _golden = Golden.Open("concrete-ml/" + ModelName);
        Run = _golden.Json($"runs/{Name}.json");
        Model = RecordedModel.Filled(_golden);
        Model.to(precision);
        var options = Config["optimizer"];
        Optimizer = options["type"].AsString == "sgd"
            ? optim.SGD(Model.TrainableParameters(), options["lr"].AsDouble)
            : optim.AdamW(Model.TrainableParameters(), options["lr"].AsDouble, weight_decay: options["weight_decay"].AsDouble);
    }

    /// <summary>Whether of a run's first batch every remote call's input and output were recorded.</summary>
    public static bool HasCalls(string name)
    {
        using var golden = Golden.Open("concrete-ml/" + Parts(name).Model);
        return golden.Has("runs/" + Parts(name).Run, "io.0.in");
    }

    public string Name { get; }

    public string ModelName { get; }

    /// <summary>All that was recorded of it.</summary>
    public GoldenJson Run { get; }

    public GoldenJson Config => Run["config"];

    public LoraModel Model { get; }

    public optim.Optimizer Optimizer { get; }

    public HybridFheMode Mode => HybridFheModes.Parse(Config["fhe"].AsString);

    public int Epochs => Config["epochs"].AsInt32;

    public List<Batch> TrainBatches => Batches("train", Config["n_train_batches"].AsInt32);

    public Batch Inputset => Batches("inputset", 1)[0];

    /// <summary>What the metric function saw and returned, an entry an evaluation.</summary>
    public List<Evaluation> Evaluations { get; } = [];

    /// <summary>The batches of a set, in order.</summary>
    public List<Batch> Batches(string set, int count) => [.. Enumerable.Range(0, count).Select(i => ReadBatch($"{set}.{i}."))];

    /// <summary>A tensor of one of the model's files.</summary>
    public Tensor Tensor(string file, string name) => _golden.Tensors(file).Entry(name).DType == Safetensors.SafetensorsDType.I64
        ? _golden.Int64Tensor(file, name)
        : _golden.SingleTensor(file, name);

    /// <summary>A trained adapter's recorded values.</summary>
    public float[] Final(string parameter) => _golden.Singles("runs/" + (Shared("tensors_same_as") ?? Name), "final." + parameter).Values;

    /// <summary>The recorded gradient after the first batch.</summary>
    public float[] FirstGradient(string parameter) =>
        _golden.Singles("runs/" + (Shared("grad1_same_as") ?? Shared("tensors_same_as") ?? Name), "grad1." + parameter).Values;

    /// <summary>A trainer as the run had it.</summary>
    public LoraTrainer Trainer(string? checkpointDir, ILogger logger, int? loggingSteps = null) => new(
        Model, Optimizer, LossFn,
        Config["scheduler"].IsNull ? null : Schedules.LinearWithWarmup(
            Optimizer, Config["scheduler"]["num_warmup_steps"].AsInt32, Config["scheduler"]["num_training_steps"].AsInt32),
        new TrainingArguments
        {
            GradientAccumulationSteps = Config["gradient_accumulation_steps"].AsInt32,
            MaxGradNorm = Config["max_grad_norm"].IsNull ? null : Config["max_grad_norm"].AsDouble,

            // The reference divides a short last window by the full count.
            LossScaling = LossScaling.Full,
        },
        Config["n_layers_to_skip_for_backprop"].AsInt32,
        Config["use_eval"].AsBoolean ? Batches("eval", 2) : null,
        Config["use_eval"].AsBoolean ? MeanLoss : null,
        loggingSteps ?? Config["logging_steps"].AsInt32, Config["eval_steps"].AsInt32,
        checkpointDir: Config["checkpoint"].AsBoolean ? checkpointDir : null, logger: logger);

    public void Dispose()
    {
        Optimizer.Dispose();
        Model.Dispose();
        _golden.Dispose();
    }

    private static (string Model, string Run) Parts(string name) => (name.Split('/')[0], name.Split('/')[1]);

    private Func<Tensor, Tensor, Tensor>? LossFn => Config["loss"].AsString switch
    {
        "model" => null,
        "mse" => (logits, labels) => nn.functional.mse_loss(logits, labels),
        "ce" => (logits, labels) => nn.functional.cross_entropy(logits, labels),
        "causal_lm_loss" => (logits, labels) => nn.functional.cross_entropy(
            logits.narrow(1, 0, logits.shape[1] - 1).flatten(0, 1), labels.narrow(1, 1, labels.shape[1] - 1).reshape(-1), ignore_index: -100),
        var other => throw new InvalidDataException($"'{other}' is no recorded loss."),
    };

    private Batch ReadBatch(string prefix)
    {
        if (Config["loss"].AsString is "mse" or "ce")
        {
            var (x, labels) = (Tensor("data", prefix + "x"), Tensor("data", prefix + "y_" + Config["loss"].AsString));
            return Config["batch_form"].AsString == "tuple" ? new Batch(x, labels) : new Batch([KeyValuePair.Create("x", x), KeyValuePair.Create("labels", labels)]);
        }

        return new Batch(new[] { "input_ids", "attention_mask", "labels" }.Select(key => KeyValuePair.Create(key, FirstRows(Tensor("data", prefix + key)))));
    }

    private Tensor FirstRows(Tensor whole)
    {
        using var all = whole;
        return all.narrow(0, 0, Config["rows"].IsNull ? all.shape[0] : Config["rows"].AsInt32);
    }

    // The run whose tensors are this one's, where they were stored once.
    private string? Shared(string key) => !Run.Has(key) ? null
        : Run[key].Element.ValueKind == JsonValueKind.String ? Run[key].AsString : Run[key]["run"].AsString;

    private Dictionary<string, double> MeanLoss(nn.Module model, IEnumerable<Batch> loader)
    {
        var invoker = new ModelInvoker(model);
        var losses = loader.Select(batch =>
        {
            var output = invoker.Invoke(batch);
            return (LossFn is { } lossFn ? lossFn(output.Logits!, batch.Labels!) : output.Loss!).ToDouble();
        }).ToList();
        Evaluations.Add(new Evaluation(model.training, losses.Average(), losses.Count));
        return new Dictionary<string, double> { ["eval_loss"] = losses.Average(), ["n_batches"] = losses.Count };
    }
}
