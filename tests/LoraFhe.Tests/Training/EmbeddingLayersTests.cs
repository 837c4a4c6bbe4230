using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>Training with the embedding and the head among the layers that are computed remotely.</summary>
public sealed class EmbeddingLayersTests
{
    [Fact]
    public void The_embedding_and_both_halves_of_the_head_are_remote_if_asked_for()
    {
        using var with = new WordRun();
        using var without = new WordRun(includeEmbeddingLayers: false);
        const string prefix = "inference_model.base_model.model.";

        Assert.Equal(
            [prefix + "words", prefix + "fc1.base_layer", prefix + "fc2.base_layer.forward_module", prefix + "fc2.base_layer.backward_module",
                prefix + "lm_head.forward_module", prefix + "lm_head.backward_module"],
            with.Trainer.RemoteNames);
        Assert.Equal(
            [prefix + "fc1.base_layer", prefix + "fc2.base_layer.forward_module", prefix + "fc2.base_layer.backward_module"],
            without.Trainer.RemoteNames);
        Assert.Equal(with.Trainer.RemoteNames, with.Trainer.HybridModel.ModuleNames);
    }

    [Fact]
    public void The_head_can_be_remote_alone()
    {
        using var torch = new WordRun(includeEmbeddingLayers: false).Train(HybridFheMode.Torch);
        using var head = new WordRun(includeEmbeddingLayers: false, includeLmHead: true).Train(HybridFheMode.Execute, bits: 12);

        const string prefix = "inference_model.base_model.model.";
        Assert.Equal(
            [prefix + "fc1.base_layer", prefix + "fc2.base_layer.forward_module", prefix + "fc2.base_layer.backward_module",
                prefix + "lm_head.forward_module", prefix + "lm_head.backward_module"],
            head.Trainer.RemoteNames);
        Assert.Equal(["fc1", "fc2", "lm_head"], head.Trainer.HybridModel.Layers.Select(layer => layer.Weights.Name));
        Assert.All(torch.Losses.Zip(head.Losses), pair => Assert.Equal(pair.First, pair.Second, 2e-3));
        Assert.NotEqual(torch.Losses, head.Losses);
    }

    [Theory]
    [InlineData(HybridFheMode.Disable)]
    [InlineData(HybridFheMode.Simulate)]
    [InlineData(HybridFheMode.Execute)]
    public void Every_mode_trains_nearly_as_torch_does(HybridFheMode mode)
    {
        using var torch = new WordRun().Train(HybridFheMode.Torch);
        using var other = new WordRun().Train(mode, bits: 12);

        Assert.All(torch.Losses.Zip(other.Losses), pair => Assert.Equal(pair.First, pair.Second, 2e-3));
        Assert.NotEqual(torch.Losses, other.Losses);
    }

    [Fact]
    public void Execute_sends_every_products_rows_and_nothing_twice()
    {
        using var run = new WordRun();
        run.Trainer.Compile(run.Batches[0], cancellationToken: Cancellation.Token);
        run.Trainer.Train(run.Batches.Take(1), 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token);
        const int tokens = 3 * 8;
        const int backward = 2;

        // Forward words, fc1, fc2 and the head; backward the head and fc2.
        var traffic = run.Trainer.HybridModel.Backend.Traffic;
        Assert.Equal(4 + backward, traffic.Calls);
        Assert.Equal((64L * traffic.Calls) + (4L * tokens * (WordMlp.Words + 16 + 24 + 16 + WordMlp.Words + 16)), traffic.BytesUp);
    }

    [Fact]
    public void An_id_without_a_row_stops_a_step_before_anything_is_sent()
    {
        using var run = new WordRun();
        run.Trainer.Compile(run.Batches[0], cancellationToken: Cancellation.Token);
        using var bad = new Batch(full([3, 8], WordMlp.Words, ScalarType.Int64), zeros([3, 8], ScalarType.Int64));

        var error = Assert.Throws<ArgumentException>(() => run.Trainer.Train([bad], 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token));

        Assert.StartsWith("Layer 'inference_model.base_model.model.words': an id has no row in the embedding; ids from 0 to 39 have.", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, run.Trainer.HybridModel.Backend.Traffic.Calls);
    }

    [Theory]
    [InlineData(HybridFheMode.Disable)]
    [InlineData(HybridFheMode.Execute)]
    public void An_adapter_beside_a_remote_embedding_trains_as_beside_one_in_clear(HybridFheMode mode)
    {
        using var torch = new WordRun(targets: ["words", "fc2"]).Train(HybridFheMode.Torch);
        using var other = new WordRun(targets: ["words", "fc2"]).Train(mode, bits: 12);

        Assert.Contains("inference_model.base_model.model.words.base_layer", other.Trainer.RemoteNames);
        Assert.Contains(other.Trainer.HybridModel.Layers, layer => layer.Weights.Name == "words");
        Assert.All(torch.Losses.Zip(other.Losses), pair => Assert.Equal(pair.First, pair.Second, 2e-3));
        Assert.Contains(other.Model.TrainableParameters(), parameter => parameter.shape.Contains(WordMlp.Words));
    }
}
