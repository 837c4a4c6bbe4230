using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>What holds for every kind of place a model keeps its layers in: saved, cleared and loaded elsewhere it computes what it did.</summary>
public sealed class TypedDeploymentTests
{
    public static TheoryData<string> Places => TypedPlacesTests.Places;

    [Theory]
    [MemberData(nameof(Places))]
    public void No_weight_outlives_clearing_and_another_model_goes_on_with_both_folders(string kind)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var original = new Deployment(kind);
        original.Compile(null);
        var expected = original.Step();
        var frozen = original.Model.named_parameters().Where(entry => !entry.parameter.requires_grad && entry.parameter.dim() == 2).ToList();

        original.Hybrid.SaveAndClearPrivateInfo(folder.Path);

        Assert.NotEmpty(frozen);
        Assert.All(frozen, entry => Assert.True(entry.parameter.IsInvalid || entry.parameter.numel() == 0, entry.name));
        using (var client = SafetensorsFile.Open(folder.At("client", "model.safetensors")))
        {
            Assert.DoesNotContain(client.Entries, entry => entry.Shape.Count == 2 && !entry.Name.Contains("lora_", StringComparison.Ordinal));
        }

        using var other = new Deployment(kind);
        using (no_grad())
        {
            foreach (var parameter in other.Model.parameters())
            {
                parameter.fill_(0.1);
            }
        }

        other.Hybrid.LoadPrivateInfo(folder.At("client"));
        other.Compile(FrozenLayerFile.Read(folder.At("server")));
        Assert.Equal(expected, other.Step());
        original.Compile(FrozenLayerFile.Read(folder.At("server")));
        Assert.Equal(expected, original.Step());
    }

    private sealed class Deployment : IDisposable
    {
        private readonly LoraTraining _training;
        private readonly Batch _batch = new(HybridData.Normal(3, 5, TypedModels.Width), HybridData.Normal(4, 5, TypedModels.Width));

        public Deployment(string kind)
        {
            var model = TypedModels.Create(kind);
            var first = ModuleSurgery.Descendants(model).First(entry => LinearShape.IsLinear(entry.Module)).Name;
            Model = LoraModel.Apply(model, new LoraConfig { R = 2, LoraDropout = 0, TargetModules = [first] }, seed: 5);
            _training = new LoraTraining(Model, 1, (logits, target) => nn.functional.mse_loss(logits, target));
            Hybrid = new HybridFheModel(_training, Lora.GetRemoteNames(_training));
        }

        public LoraModel Model { get; }

        public HybridFheModel Hybrid { get; }

        public void Compile(IReadOnlyList<LoraFhe.Cryptography.QuantizedLayer>? layers) => Hybrid.CompileModel(
            () => _training.call(_batch).Loss.Dispose(), new HybridCompileOptions { FrozenLayers = layers }, cancellationToken: TestContext.Current.CancellationToken);

        /// <summary>The loss and the adapters' gradients in disable.</summary>
        public float[] Step()
        {
            foreach (var parameter in Model.TrainableParameters())
            {
                parameter.grad = null;
            }

            var loss = Hybrid.Forward<Batch, (Tensor Loss, Tensor?)>(_batch, HybridFheMode.Disable).Loss.item<float>();
            return [loss, .. Model.TrainableParameters().SelectMany(parameter => parameter.grad!.Values())];
        }

        public void Dispose()
        {
            Hybrid.Dispose();
            _training.Dispose();
            _batch.Dispose();
        }
    }
}
