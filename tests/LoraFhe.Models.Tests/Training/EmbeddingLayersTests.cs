using LoraFhe.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>Llamas whose embedding and head are computed under encryption too.</summary>
[Collection(RunsAlone.Name)]
public sealed class EmbeddingLayersTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(HybridFheMode.Disable, 8, 2e-3, 0.1)]
    [InlineData(HybridFheMode.Disable, 12, 2e-4, 1e-2)]
    [InlineData(HybridFheMode.Execute, 8, 2e-3, 0.1)]
    [InlineData(HybridFheMode.Execute, 12, 1e-3, 2e-2)]
    public void A_step_of_a_small_llama_is_as_near_to_torch_as_its_bits_allow(HybridFheMode mode, int bits, double lossBound, double gradientBound)
    {
        using var scope = NewDisposeScope();
        using var small = new SmallModel("llama");
        using var optimizer = optim.SGD(small.Model.TrainableParameters(), 0.1);
        using var trainer = new LoraTrainer(small.Model, optimizer, logger: NullLogger.Instance, includeEmbeddingLayers: true);
        trainer.Compile(small.Inputset, bits, cancellationToken: Cancellation);

        var (clearLoss, clear) = Step(small, trainer, HybridFheMode.Torch);
        var (loss, gradient) = Step(small, trainer, mode);

        Assert.InRange(Math.Abs(loss - clearLoss) / clearLoss, 1e-9, lossBound);
        Assert.InRange((gradient - clear).norm().item<float>() / clear.norm().item<float>(), 1e-6, gradientBound);
    }

    [Fact]
    public void A_tied_head_is_a_layer_of_its_own_and_the_one_weight_is_listed_once()
    {
        using var scope = NewDisposeScope();
        using var model = LlamaForCausalLM.FromPretrained(RepositoryFolder.Fixture("models", "llama-tied"));
        var adapted = LoraModel.Apply(model, new LoraConfig { R = 2, TargetModules = ["q_proj", "v_proj"] });
        using var optimizer = optim.SGD(adapted.TrainableParameters(), 0.1);
        var plain = adapted.parameters().Count();
        using var trainer = new LoraTrainer(adapted, optimizer, logger: NullLogger.Instance, includeEmbeddingLayers: true);
        var ids = arange(24, ScalarType.Int64).reshape(2, 12);
        Batch batch = new([KeyValuePair.Create("input_ids", ids), KeyValuePair.Create("labels", ids)]);
        trainer.Compile(batch, cancellationToken: Cancellation);

        Assert.Equal(plain, trainer.LoraTrainingModule.parameters().Count());
        Assert.Single(trainer.RemoteNames, name => name.EndsWith("embed_tokens", StringComparison.Ordinal));
        Assert.Equal(
            ["inference_model.base_model.model.lm_head.forward_module", "inference_model.base_model.model.lm_head.backward_module"],
            trainer.RemoteNames.Where(name => name.Contains("lm_head", StringComparison.Ordinal)));
        var layers = trainer.HybridModel.Layers.ToDictionary(layer => layer.Weights.Name, layer => layer.Weights);
        Assert.Equal((300, 40), (layers["model.embed_tokens"].InFeatures, layers["model.embed_tokens"].OutFeatures));
        Assert.Equal((40, 300), (layers["lm_head"].InFeatures, layers["lm_head"].OutFeatures));

        var losses = Enum.GetValues<HybridFheMode>().ToDictionary(mode => mode, mode => trainer.HybridModel.Forward<Batch, (Tensor Loss, Tensor?)>(batch, mode).Loss.item<float>());
        Assert.All(losses.Values, loss => Assert.InRange(loss, losses[HybridFheMode.Torch] * 0.99, losses[HybridFheMode.Torch] * 1.01));
    }

    [Fact]
    public void A_tied_head_that_is_remote_alone_leaves_the_embedding_its_weight()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var model = LlamaForCausalLM.FromPretrained(RepositoryFolder.Fixture("models", "llama-tied"));
        var adapted = LoraModel.Apply(model, new LoraConfig { R = 2, TargetModules = ["q_proj", "v_proj"] });
        using var optimizer = optim.SGD(adapted.TrainableParameters(), 0.1);
        using var trainer = new LoraTrainer(adapted, optimizer, logger: NullLogger.Instance, includeLmHead: true);
        var ids = arange(24, ScalarType.Int64).reshape(2, 12);
        Batch batch = new([KeyValuePair.Create("input_ids", ids), KeyValuePair.Create("labels", ids)]);
        trainer.Compile(batch, cancellationToken: Cancellation);
        var before = Loss();

        trainer.SaveAndClearPrivateInfo(folder.Path);
        trainer.Compile(batch, frozenLayers: FrozenLayerFile.Read(folder.At("server")), cancellationToken: Cancellation);

        Assert.Equal(before, Loss());
        Assert.Contains(trainer.HybridModel.Layers, layer => layer.Weights.Name == "lm_head");
        Assert.DoesNotContain(trainer.HybridModel.Layers, layer => layer.Weights.Name == "model.embed_tokens");

        float Loss() => trainer.HybridModel.Forward<Batch, (Tensor Loss, Tensor?)>(batch, HybridFheMode.Disable).Loss.item<float>();
    }

    private static (double Loss, Tensor Gradient) Step(SmallModel small, LoraTrainer trainer, HybridFheMode mode)
    {
        foreach (var parameter in small.Model.TrainableParameters())
        {
            parameter.grad = null;
        }

        var loss = trainer.HybridModel.Forward<Batch, (Tensor Loss, Tensor?)>(small.TrainBatches[0], mode).Loss.item<float>();
        return (loss, cat([.. small.Model.TrainableParameters().Select(parameter => parameter.grad!.flatten())]));
    }
}
