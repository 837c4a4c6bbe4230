using LoraFhe.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>A small model's training, taken over from the two folders of a deployment.</summary>
[Collection(RunsAlone.Name)]
public sealed class ModelAcrossFoldersTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("llama", HybridFheMode.Disable, false, 0)]
    [InlineData("llama", HybridFheMode.Disable, true, 0)]
    [InlineData("llama", HybridFheMode.Execute, true, 1e-3)]
    [InlineData("gpt2", HybridFheMode.Disable, false, 0)]
    [InlineData("gpt2", HybridFheMode.Disable, true, 0)]
    [InlineData("gpt2", HybridFheMode.Execute, true, 1e-3)]
    public void It_goes_on_as_the_original_would_have(string family, HybridFheMode mode, bool includeEmbeddingLayers, double tolerance)
    {
        using var folder = new TemporaryFolder();
        List<double> expected;
        using (var unbroken = new Half(family, includeEmbeddingLayers))
        {
            unbroken.Compile();
            unbroken.Train(mode, 0);
            expected = unbroken.Train(mode, 2);
        }

        using (var original = new Half(family, includeEmbeddingLayers))
        {
            original.Compile();
            original.Train(mode, 0);
            original.Trainer.SaveAndClearPrivateInfo(folder.Path);
        }

        using var other = new Half(family, includeEmbeddingLayers);
        other.Spoil();
        other.Trainer.LoadPrivateInfo(folder.At("client"));
        other.Compile(FrozenLayerFile.Read(folder.At("server")));
        var losses = other.Train(mode, 2);

        Assert.Equal(expected.Count, losses.Count);
        Assert.All(expected.Zip(losses), pair => Assert.InRange(pair.Second, pair.First - tolerance, pair.First + tolerance));
    }

    private sealed class Half : IDisposable
    {
        private readonly SmallModel _small;
        private readonly optim.Optimizer _optimizer;

        public Half(string family, bool includeEmbeddingLayers)
        {
            _small = new SmallModel(family);
            _optimizer = optim.SGD(_small.Model.TrainableParameters(), 0.1);
            Trainer = new LoraTrainer(_small.Model, _optimizer, logger: NullLogger.Instance, includeEmbeddingLayers: includeEmbeddingLayers);
        }

        public LoraTrainer Trainer { get; }

        public void Compile(IReadOnlyList<Cryptography.QuantizedLayer>? layers = null) =>
            Trainer.Compile(_small.Inputset, frozenLayers: layers, cancellationToken: Cancellation);

        public List<double> Train(HybridFheMode mode, int first)
        {
            var before = Trainer.GetTrainingLosses().Count;
            Trainer.Train(_small.TrainBatches.Skip(first).Take(2).ToList(), 1, mode, cancellationToken: Cancellation);
            return [.. Trainer.GetTrainingLosses().Skip(before)];
        }

        /// <summary>Overwrites every parameter: what is right afterwards came from the folders.</summary>
        public void Spoil()
        {
            using var noGraph = no_grad();
            foreach (var parameter in _small.Model.parameters())
            {
                parameter.fill_(0.25);
            }
        }

        public void Dispose()
        {
            Trainer.Dispose();
            _optimizer.Dispose();
            _small.Dispose();
        }
    }
}
