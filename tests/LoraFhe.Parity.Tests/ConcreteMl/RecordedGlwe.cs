using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Parity;

/// <summary>One of the recorded runs <c>concrete-ml/glwe</c>: layers of 512 columns, the model as it was at first, its data, and a trainer as the run had it.</summary>
internal sealed class RecordedGlwe : IDisposable
{
    private readonly Golden _golden = Golden.Open("concrete-ml/glwe");

    public RecordedGlwe(string run, string folder)
    {
        Run = _golden.Json($"runs/{run}.json");
        var recorded = _golden.Json("case.json");

        // The frozen layers are what this seed gives, in PyTorch and here; FirstLogits tells.
        manual_seed(recorded["seed"].AsInt32);
        Model = RecordedSkeleton.Adapted(recorded);
        using (no_grad())
        {
            foreach (var (name, parameter) in Model.named_parameters().Where(entry => entry.parameter.requires_grad))
            {
                using var initial = Tensor("init", name);
                parameter.copy_(initial);
            }
        }

        Optimizer = Config["optimizer"]["type"].AsString == "sgd"
            ? optim.SGD(Model.TrainableParameters(), Config["optimizer"]["lr"].AsDouble)
            : optim.AdamW(Model.TrainableParameters(), Config["optimizer"]["lr"].AsDouble, weight_decay: Config["optimizer"]["weight_decay"].AsDouble);
        Trainer = MakeTrainer(Run.Has("checkpoint_dir") ? Path.Combine(folder, "ckpt") : null);
    }

    public GoldenJson Run { get; }

    public GoldenJson Config => Run["config"];

    public LoraModel Model { get; }

    public optim.Optimizer Optimizer { get; }

    public RecordingLogger Logger { get; } = new();

    public LoraTrainer Trainer { get; }

    /// <summary>The recorded logits of the first training batch, before any training.</summary>
    public Tensor FirstLogits => Tensor("forward", "logits.train.0");

    public List<Batch> Batches(string set, int count) =>
        [.. Enumerable.Range(0, count).Select(i => new Batch(Tensor("data", $"{set}.{i}.x"), Tensor("data", $"{set}.{i}.y_mse")))];

    public Tensor Tensor(string file, string name) => tensor(_golden.Singles(file, name).Values, _golden.Singles(file, name).Shape);

    public void Dispose()
    {
        Trainer.Dispose();
        Optimizer.Dispose();
        Model.Dispose();
        _golden.Dispose();
    }

    private LoraTrainer MakeTrainer(string? checkpoints) => new(
        Model, Optimizer, Mse,
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
        Config["logging_steps"].AsInt32, Config["eval_steps"].AsInt32, checkpointDir: checkpoints, logger: Logger);

    private static Tensor Mse(Tensor logits, Tensor labels) => nn.functional.mse_loss(logits, labels);

    private static Dictionary<string, double> MeanLoss(nn.Module model, IEnumerable<Batch> loader)
    {
        var invoker = new ModelInvoker(model);
        var losses = loader.Select(batch => (double)Mse(invoker.Invoke(batch).Logits!, batch.Labels!).item<float>()).ToList();
        return new Dictionary<string, double> { ["eval_loss"] = losses.Average(), ["n_batches"] = losses.Count };
    }
}
