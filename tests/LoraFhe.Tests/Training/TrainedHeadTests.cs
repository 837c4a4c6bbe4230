using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>A head that is trained whole (peft's <c>modules_to_save</c>) beside encrypted frozen layers.</summary>
public sealed class TrainedHeadTests
{
    private static readonly LoraConfig Config = new() { R = 2, LoraAlpha = 4, TargetModules = ["fc1", "fc2"], ModulesToSave = ["fc3"] };

    [Theory]
    [InlineData(HybridFheMode.Torch)]
    [InlineData(HybridFheMode.Simulate)]
    [InlineData(HybridFheMode.Execute)]
    public void It_is_trained_with_the_client_and_its_original_is_not(HybridFheMode mode)
    {
        using var run = new Run();
        var head = run.Wrapper.ModulesToSave["default"].get_parameter("weight")!;
        var (original, first) = (run.Wrapper.OriginalModule.get_parameter("weight")!.data<float>().ToArray(), head.data<float>().ToArray());

        run.Train(mode, epochs: 8);

        Assert.DoesNotContain(run.Trainer.RemoteNames, name => name.Contains("fc3", StringComparison.Ordinal));
        Assert.NotEqual(first, head.data<float>().ToArray());
        Assert.Equal(original, run.Wrapper.OriginalModule.get_parameter("weight")!.data<float>().ToArray());
        var losses = run.Trainer.GetTrainingLosses();
        Assert.True(losses[^1] < 0.8 * losses[0], $"from {losses[0]} to {losses[^1]}");
    }

    [Fact]
    public void Encrypted_it_learns_what_it_learns_in_clear()
    {
        using var clear = new Run();
        using var encrypted = new Run();
        clear.Train(HybridFheMode.Torch, epochs: 2);
        encrypted.Train(HybridFheMode.Execute, epochs: 2);

        Assert.All(
            clear.Trainer.GetTrainingLosses().Zip(encrypted.Trainer.GetTrainingLosses()),
            pair => Assert.Equal(pair.First, pair.Second, 0.05));
    }

    [Fact]
    public void A_checkpoint_and_the_clients_folder_hold_it()
    {
        using var folder = new TemporaryFolder();
        using var run = new Run(folder.At("checkpoints"));
        run.Train(HybridFheMode.Simulate, epochs: 1);
        var trained = run.Wrapper.ModulesToSave["default"].get_parameter("weight")!.data<float>().ToArray();

        using var resumed = new Run(folder.At("checkpoints"));
        resumed.Trainer.LoadCheckpoint(CheckpointFolder.Newest(folder.At("checkpoints"))!);
        Assert.Equal(trained, resumed.Wrapper.ModulesToSave["default"].get_parameter("weight")!.data<float>().ToArray());

        run.Trainer.SaveAndClearPrivateInfo(folder.At("deployed"));
        using var client = SafetensorsFile.Open(folder.At("deployed", "client", "model.safetensors"));
        Assert.Contains(client.Entries, entry => entry.Name.EndsWith("fc3.modules_to_save.default.weight", StringComparison.Ordinal));
        using var server = SafetensorsFile.Open(folder.At("deployed", "server", "frozen_layers.safetensors"));
        Assert.DoesNotContain(server.Entries, entry => entry.Name.Contains("fc3", StringComparison.Ordinal));
    }

    private sealed class Run : IDisposable
    {
        private readonly Tensor _x;
        private readonly Tensor _labels;
        private readonly optim.Optimizer _optimizer;

        public Run(string? checkpointDir = null)
        {
            using var generator = new Generator(7);
            _x = randn([16, 6], generator: generator);
            _labels = _x.narrow(1, 0, 3).argmax(1);
            Model = LoraModel.Apply(Fixed(new Mlp([6, 12, 10, 3], t => t.tanh())), Config, seed: 1);
            _optimizer = optim.Adam(Model.TrainableParameters(), 0.02);
            Trainer = new LoraTrainer(
                Model, _optimizer, (logits, labels) => nn.functional.cross_entropy(logits, labels), checkpointDir: checkpointDir, logger: new RecordingLogger());
        }

        public LoraModel Model { get; }

        public LoraTrainer Trainer { get; }

        public ModulesToSaveWrapper Wrapper => ModuleSurgery.Descendants(Model.Model).Select(place => place.Module).OfType<ModulesToSaveWrapper>().Single();

        public void Train(HybridFheMode mode, int epochs)
        {
            if (mode != HybridFheMode.Torch)
            {
                Trainer.Compile(new Batch(_x, _labels), cancellationToken: Cancellation.Token);
            }

            Trainer.Train(Enumerable.Range(0, 4).Select(i => new Batch(_x.narrow(0, 4 * i, 4), _labels.narrow(0, 4 * i, 4))).ToList(), epochs, mode, cancellationToken: Cancellation.Token);
        }

        public void Dispose()
        {
            Trainer.Dispose();
            _optimizer.Dispose();
            Model.Dispose();
            _x.Dispose();
            _labels.Dispose();
        }

        // Every run starts from the same weights, whatever other tests draw meanwhile.
        private static Mlp Fixed(Mlp mlp)
        {
            using var generator = new Generator(8);
            using var noGradients = no_grad();
            foreach (var parameter in mlp.parameters())
            {
                parameter.normal_(0, 0.3, generator);
            }

            return mlp;
        }
    }
}
