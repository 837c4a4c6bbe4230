using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>A run that goes on from the two folders of another: the server's integers here, everything private there.</summary>
public sealed class TrainingAcrossFoldersTests
{
    [Theory]
    [InlineData(true, HybridFheMode.Disable)]
    [InlineData(false, HybridFheMode.Disable)]
    [InlineData(true, HybridFheMode.Simulate)]
    public void It_loses_what_the_original_would_have_lost_to_the_bit(bool includeEmbeddingLayers, HybridFheMode mode)
    {
        using var folder = new TemporaryFolder();
        var expected = Continued(includeEmbeddingLayers, mode);
        using (var original = new WordRun(includeEmbeddingLayers).Train(mode))
        {
            original.Trainer.SaveAndClearPrivateInfo(folder.Path);
        }

        using var other = Loaded(folder, includeEmbeddingLayers);
        other.Trainer.HybridModel.SeedSimulation(11);
        other.Trainer.Train(other.Batches, 1, mode, cancellationToken: Cancellation.Token);

        Assert.Equal(expected, other.Losses);
        Assert.Contains($"Client's half of the model loaded from {folder.At("client")}", other.Logger.Lines);
    }

    [Fact]
    public void In_execute_it_is_as_near_to_the_original_as_the_noise_allows()
    {
        using var folder = new TemporaryFolder();
        var expected = Continued(includeEmbeddingLayers: true, HybridFheMode.Execute);
        using (var original = new WordRun().Train(HybridFheMode.Execute))
        {
            original.Trainer.SaveAndClearPrivateInfo(folder.Path);
        }

        using var other = Loaded(folder, includeEmbeddingLayers: true);
        other.Trainer.Train(other.Batches, 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token);

        Assert.All(expected.Zip(other.Losses), pair => Assert.Equal(pair.First, pair.Second, 2e-3));
        Assert.NotEqual(expected, other.Losses);
    }

    [Fact]
    public void The_trainer_that_saved_goes_on_too()
    {
        using var folder = new TemporaryFolder();
        var expected = Continued(includeEmbeddingLayers: true, HybridFheMode.Disable);
        using var run = new WordRun().Train(HybridFheMode.Disable);
        run.Trainer.SaveAndClearPrivateInfo(folder.Path);

        run.Trainer.Compile(run.Batches[0], frozenLayers: FrozenLayerFile.Read(folder.At("server")), cancellationToken: Cancellation.Token);
        run.Trainer.Train(run.Batches, 1, HybridFheMode.Disable, cancellationToken: Cancellation.Token);

        Assert.Equal(expected, run.Losses.Skip(run.Batches.Count));
    }

    [Fact]
    public void A_checkpoint_brings_what_the_folders_have_not_the_optimizer_and_the_position()
    {
        using var folder = new TemporaryFolder();
        static optim.Optimizer AdamW(LoraModel model) => optim.AdamW(model.TrainableParameters(), 0.05);
        List<double> expected;
        using (var unbroken = new WordRun(optimizer: AdamW))
        {
            unbroken.Trainer.Compile(unbroken.Batches[0], cancellationToken: Cancellation.Token);
            unbroken.Trainer.Train(unbroken.Batches, 2, HybridFheMode.Disable, cancellationToken: Cancellation.Token);
            expected = [.. unbroken.Losses];
        }

        using (var original = new WordRun(checkpointDir: folder.At("checkpoints"), optimizer: AdamW).Train(HybridFheMode.Disable))
        {
            original.Trainer.SaveAndClearPrivateInfo(folder.Path);
        }

        using var other = new WordRun(seed: 1, checkpointDir: folder.At("checkpoints"), optimizer: AdamW);
        other.Trainer.LoadPrivateInfo(folder.At("client"));
        Assert.Equal((1, 4), other.Trainer.Compile(
            other.Batches[0], frozenLayers: FrozenLayerFile.Read(folder.At("server")), cancellationToken: Cancellation.Token));
        other.Trainer.Train(other.Batches, 2, HybridFheMode.Disable, cancellationToken: Cancellation.Token);

        Assert.Equal(expected, other.Losses);
    }

    [Fact]
    public void Torch_fails_by_name_and_bits_other_than_the_folders_are_an_error()
    {
        using var folder = new TemporaryFolder();
        using (var original = new WordRun())
        {
            original.Trainer.Compile(original.Batches[0], nBits: 10, cancellationToken: Cancellation.Token);
            original.Trainer.SaveAndClearPrivateInfo(folder.Path);
        }

        using var other = new WordRun(seed: 1);
        other.Trainer.LoadPrivateInfo(folder.At("client"));
        var layers = FrozenLayerFile.Read(folder.At("server"));

        var uncompiled = Assert.Throws<InvalidOperationException>(() => other.Trainer.Train(other.Batches, 1, HybridFheMode.Disable, cancellationToken: Cancellation.Token));
        Assert.StartsWith("The model was cleared by SaveAndClearPrivateInfo or LoadPrivateInfo: its frozen weights are not here.", uncompiled.Message, StringComparison.Ordinal);
        var bits = Assert.Throws<ArgumentException>(() => other.Trainer.Compile(other.Batches[0], nBits: 8, frozenLayers: layers, cancellationToken: Cancellation.Token));
        Assert.Equal(
            "The frozen layers given have 10 bits, 'fc1' for one; 8 were asked for. Use 10, or null to take the layers as they are. (Parameter 'options')", bits.Message);
        Assert.Throws<InvalidOperationException>(() => other.Trainer.Compile(other.Batches[0], cancellationToken: Cancellation.Token));
        other.Trainer.Compile(other.Batches[0], nBits: null, frozenLayers: layers, cancellationToken: Cancellation.Token);
        var torch = Assert.Throws<InvalidOperationException>(() => other.Trainer.Train(other.Batches, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
        Assert.StartsWith("Layer 'inference_model.base_model.model.words' was cleared", torch.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Neither_saving_nor_loading_is_possible_while_training_is_under_way()
    {
        using var folder = new TemporaryFolder();
        using var run = new WordRun();
        run.Trainer.Compile(run.Batches[0], cancellationToken: Cancellation.Token);
        var progress = new ImmediateProgress<TrainingProgress>(_ =>
        {
            Assert.Throws<InvalidOperationException>(() => run.Trainer.SaveAndClearPrivateInfo(folder.Path));
            Assert.Throws<InvalidOperationException>(() => run.Trainer.LoadPrivateInfo(folder.At("client")));
        });

        run.Trainer.Train(run.Batches, 1, HybridFheMode.Disable, progress: progress, cancellationToken: Cancellation.Token);

        Assert.Equal(run.Batches.Count, run.Losses.Count);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    // The same run without the folders: two epochs of which the second counts.
    private static List<double> Continued(bool includeEmbeddingLayers, HybridFheMode mode)
    {
        using var run = new WordRun(includeEmbeddingLayers).Train(mode);
        run.Trainer.HybridModel.SeedSimulation(11);
        run.Trainer.Train(run.Batches, 1, mode, cancellationToken: Cancellation.Token);
        return [.. run.Losses.Skip(run.Batches.Count)];
    }

    private static WordRun Loaded(TemporaryFolder folder, bool includeEmbeddingLayers)
    {
        var run = new WordRun(includeEmbeddingLayers, seed: 1);
        run.Trainer.LoadPrivateInfo(folder.At("client"));
        run.Trainer.Compile(run.Batches[0], frozenLayers: FrozenLayerFile.Read(folder.At("server")), cancellationToken: Cancellation.Token);
        return run;
    }
}
