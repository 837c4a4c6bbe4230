using LoraFhe.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>A GPT-2 fine-tuned with its frozen layers under encryption: layers stored [in, out], two embeddings, a tied head.</summary>
[Collection(RunsAlone.Name)]
public sealed class Gpt2TrainingTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(3, 3)]
    public void The_first_layers_run_backward_on_the_client(int skip, int expected)
    {
        using var model = Load("gpt2-base");
        var lora = LoraModel.Apply(model, new LoraConfig { R = 2, TargetModules = ["c_attn"] });
        using var optimizer = optim.SGD(lora.TrainableParameters(), 0.1);
        using var trainer = new LoraTrainer(lora, optimizer, nLayersToSkipForBackprop: skip, logger: NullLogger.Instance);
        string[] layers = ["h.0.attn.c_attn", "h.0.attn.c_proj", "h.0.mlp.c_fc", "h.0.mlp.c_proj", "h.1.attn.c_attn", "h.1.attn.c_proj", "h.1.mlp.c_fc", "h.1.mlp.c_proj"];

        var backward = trainer.RemoteNames.Where(name => name.EndsWith("backward_module", StringComparison.Ordinal)).ToList();

        Assert.Equal(8, trainer.RemoteNames.Count - backward.Count);
        Assert.Equal(8 - expected, backward.Count);
        Assert.All(layers[expected..].Zip(backward), pair => Assert.Contains($"{pair.First}.", pair.Second, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_step_is_near_that_of_torch_in_every_mode(bool includeEmbeddingLayers)
    {
        using var scope = NewDisposeScope();
        using var model = Load("gpt2-base");
        var lora = LoraModel.Apply(model, new LoraConfig { R = 2, TargetModules = TargetModules.AllLinear });
        using var optimizer = optim.SGD(lora.TrainableParameters(), 0.1);
        using var trainer = new LoraTrainer(lora, optimizer, logger: NullLogger.Instance, includeEmbeddingLayers: includeEmbeddingLayers);
        var batch = Batch();
        trainer.Compile(batch, cancellationToken: Cancellation);

        var steps = Enum.GetValues<HybridFheMode>().ToDictionary(mode => mode, mode => Step(trainer, lora, batch, mode));

        var (clearLoss, clear) = steps[HybridFheMode.Torch];
        Assert.All(steps.Values, step =>
        {
            Assert.InRange(step.Loss, clearLoss * 0.99, clearLoss * 1.01);
            Assert.InRange((step.Gradient - clear).norm().item<float>() / clear.norm().item<float>(), 0, 0.1);
        });
        Assert.NotEqual(0, clear.norm().item<float>());
    }

    [Fact]
    public void Both_embeddings_and_the_tied_head_are_layers_of_their_own_and_the_one_weight_is_listed_once()
    {
        using var scope = NewDisposeScope();
        using var model = Load("gpt2-base");
        var lora = LoraModel.Apply(model, new LoraConfig { R = 2 });
        using var optimizer = optim.SGD(lora.TrainableParameters(), 0.1);
        var plain = lora.parameters().Count();
        using var trainer = new LoraTrainer(lora, optimizer, logger: NullLogger.Instance, includeEmbeddingLayers: true);
        trainer.Compile(Batch(), cancellationToken: Cancellation);

        Assert.Equal(plain, trainer.LoraTrainingModule.parameters().Count());
        var layers = trainer.HybridModel.Layers.ToDictionary(layer => layer.Weights.Name, layer => layer.Weights);
        Assert.Equal((300, 48), (layers["transformer.wte"].InFeatures, layers["transformer.wte"].OutFeatures));
        Assert.Equal((64, 48), (layers["transformer.wpe"].InFeatures, layers["transformer.wpe"].OutFeatures));
        Assert.Equal((48, 300), (layers["lm_head"].InFeatures, layers["lm_head"].OutFeatures));
    }

    [Theory]
    [InlineData(HybridFheMode.Torch)]
    [InlineData(HybridFheMode.Disable)]
    [InlineData(HybridFheMode.Simulate)]
    [InlineData(HybridFheMode.Execute)]
    public void Training_lowers_the_loss(HybridFheMode mode)
    {
        using var model = Load("gpt2-base");
        var lora = LoraModel.Apply(model, new LoraConfig { R = 4, TargetModules = TargetModules.AllLinear });
        using var optimizer = optim.AdamW(lora.TrainableParameters(), 0.01, weight_decay: 0);
        using var trainer = new LoraTrainer(lora, optimizer, logger: NullLogger.Instance);
        using var scope = NewDisposeScope();
        var batch = Batch();
        trainer.Compile(batch, cancellationToken: Cancellation);

        trainer.Train([batch], 8, mode, cancellationToken: Cancellation);

        Assert.Equal(8, trainer.TrainingLosses.Count);
        Assert.True(trainer.TrainingLosses[^1] < 0.7 * trainer.TrainingLosses[0], string.Join(" ", trainer.TrainingLosses));
    }

    [Fact]
    public void A_classifier_is_trained_too_its_head_whole()
    {
        using var model = SequenceClassifier.FromPretrained(RepositoryFolder.Fixture("models", "gpt2-seqcls"));
        var lora = LoraModel.Apply(model, new LoraConfig { R = 4, TaskType = TaskType.SeqCls });
        using var optimizer = optim.AdamW(lora.TrainableParameters(), 0.01, weight_decay: 0);
        using var trainer = new LoraTrainer(lora, optimizer, logger: NullLogger.Instance);
        using var scope = NewDisposeScope();
        var ids = (arange(1, 25, ScalarType.Int64) * 7 % 299).reshape(3, 8) + 1;
        var labels = tensor(new long[] { 2, 0, 1 });
        Batch batch = new([KeyValuePair.Create("input_ids", ids), KeyValuePair.Create("attention_mask", ones_like(ids)), KeyValuePair.Create("labels", labels)]);
        trainer.Compile(batch, cancellationToken: Cancellation);

        trainer.Train([batch], 12, HybridFheMode.Execute, cancellationToken: Cancellation);

        Assert.True(trainer.TrainingLosses[^1] < 0.5 * trainer.TrainingLosses[0], string.Join(" ", trainer.TrainingLosses));
    }

    private static CausalLanguageModel Load(string name) => CausalLanguageModel.FromPretrained(RepositoryFolder.Fixture("models", name));

    private static Batch Batch()
    {
        var ids = (arange(48, ScalarType.Int64) * 7 % 300).reshape(4, 12);
        return new([KeyValuePair.Create("input_ids", ids), KeyValuePair.Create("labels", ids)]);
    }

    private static (double Loss, Tensor Gradient) Step(LoraTrainer trainer, LoraModel lora, Batch batch, HybridFheMode mode)
    {
        foreach (var parameter in lora.TrainableParameters())
        {
            parameter.grad = null;
        }

        var loss = trainer.HybridModel.Forward<Batch, (Tensor Loss, Tensor?)>(batch, mode).Loss.item<float>();
        return (loss, cat([.. lora.TrainableParameters().Select(parameter => parameter.grad!.flatten())]));
    }
}
