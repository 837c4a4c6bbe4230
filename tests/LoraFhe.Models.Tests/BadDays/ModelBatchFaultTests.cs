using LoraFhe.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>Batches that a language model cannot be trained on: one error that names the tensor, no adapter changes, and training goes on.</summary>
public abstract class ModelBatchFaultTests : IDisposable
{
    private readonly LoraModel _lora;
    private readonly optim.Optimizer _optimizer;
    private readonly LoraTrainer _trainer;

    protected ModelBatchFaultTests(string name)
    {
        var model = CausalLanguageModel.FromPretrained(RepositoryFolder.Fixture("models", name));
        _lora = LoraModel.Apply(model, new LoraConfig { R = 2, TaskType = TaskType.CausalLm });
        _optimizer = optim.SGD(_lora.TrainableParameters(), 0.1);
        _trainer = new LoraTrainer(_lora, _optimizer, logger: NullLogger.Instance);
    }

    public static TheoryData<string, string> Faults => new()
    {
        { "real tokens", "'inputIds' is Float32" },
        { "a token beyond the vocabulary", "'inputIds' has an id" },
        { "a negative token", "'inputIds' has an id" },
        { "a label beyond the vocabulary", "labels" },
        { "labels of another length", "labels" },
        { "a mask of another length", "'attentionMask' is [2, 9]" },
        { "a mask of twos", "attention mask" },
        { "labels that are all ignored", "Step 1: The loss is NaN" },
        { "no rows", "The input ids are [0, 10]" },
        { "no tokens", "The input ids are [2, 0]" },
        { "one dimension", "The input ids are [20]" },
        { "positions of another length", "'positionIds' is [2, 9]" },
        { "real positions", "'positionIds' is Float32" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void What_cannot_be_trained_on_is_named_and_training_goes_on(string fault, string says)
    {
        using var scope = NewDisposeScope();
        var before = Weights();
        var error = Record.Exception(() => Train(Faulty(fault)));
        Assert.NotNull(error);
        Assert.True(error is ArgumentException or NotFiniteNumberException, error.ToString());
        Assert.Contains(says, error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(before, Weights());
        Train(Sound());
        Assert.Single(_trainer.TrainingLosses);
        Assert.NotEqual(before, Weights());
    }

    [Fact]
    public void A_mask_that_hides_everything_gives_a_finite_loss_or_an_error_never_adapters_that_are_not_finite()
    {
        using var scope = NewDisposeScope();
        var batch = Sound();
        var hidden = new Batch(new Dictionary<string, Tensor>
        {
            ["input_ids"] = batch["input_ids"],
            ["attention_mask"] = zeros_like(batch["input_ids"]),
            ["labels"] = batch["labels"],
        });
        var error = Record.Exception(() => Train(hidden));
        Assert.True(error is null or NotFiniteNumberException, error?.ToString());
        Assert.All(Weights(), weight => Assert.True(float.IsFinite(weight)));
    }

    public void Dispose()
    {
        _trainer.Dispose();
        _optimizer.Dispose();
        _lora.Dispose();
        GC.SuppressFinalize(this);
    }

    private void Train(Batch batch) => _trainer.Train([batch], 1, HybridFheMode.Torch, cancellationToken: TestContext.Current.CancellationToken);

    private float[] Weights()
    {
        using var scope = NewDisposeScope();
        return [.. _lora.TrainableParameters().SelectMany(parameter => parameter.detach().data<float>().ToArray())];
    }

    private static Batch Sound()
    {
        var ids = arange(20, ScalarType.Int64).reshape(2, 10);
        return new Batch(new Dictionary<string, Tensor> { ["input_ids"] = ids, ["attention_mask"] = ones_like(ids), ["labels"] = ids.alias() });
    }

    private static Batch Faulty(string fault)
    {
        var ids = arange(20, ScalarType.Int64).reshape(2, 10);
        var (tokens, mask, labels, positions) = (ids, ones_like(ids), ids.clone(), arange(10, ScalarType.Int64).expand(2, 10));
        switch (fault)
        {
            case "real tokens":
                tokens = ids.to(float32);
                break;
            case "a token beyond the vocabulary":
                tokens = ids + 1_000_000;
                break;
            case "a negative token":
                tokens = ids - 1;
                break;
            case "a label beyond the vocabulary":
                labels = ids + 1_000_000;
                break;
            case "labels of another length":
                labels = ids.narrow(1, 0, 9);
                break;
            case "a mask of another length":
                mask = mask.narrow(1, 0, 9);
                break;
            case "a mask of twos":
                mask *= 2;
                break;
            case "positions of another length":
                positions = positions.narrow(1, 0, 9);
                break;
            case "real positions":
                positions = positions.to(float32);
                break;
            case "labels that are all ignored":
                labels = full_like(ids, -100);
                break;
            case "no rows":
                (tokens, mask, labels) = (ids.narrow(0, 0, 0), mask.narrow(0, 0, 0), labels.narrow(0, 0, 0));
                break;
            case "no tokens":
                (tokens, mask, labels) = (ids.narrow(1, 0, 0), mask.narrow(1, 0, 0), labels.narrow(1, 0, 0));
                break;
            default:
                tokens = ids.reshape(20);
                break;
        }

        return new Batch(new Dictionary<string, Tensor> { ["input_ids"] = tokens, ["attention_mask"] = mask, ["labels"] = labels, ["position_ids"] = positions });
    }
}
