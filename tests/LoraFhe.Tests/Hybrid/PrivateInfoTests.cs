using LoraFhe.Cryptography;
using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

public sealed class PrivateInfoTests
{
    [Fact]
    public void Saving_before_compilation_changes_and_writes_nothing()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var hybrid = new HybridFixture(compile: false);

        Assert.Throws<InvalidOperationException>(() => hybrid.Hybrid.SaveAndClearPrivateInfo(folder.At("deployment")));

        Assert.False(Directory.Exists(folder.At("deployment")));
        hybrid.Output(HybridFheMode.Torch);
    }

    [Fact]
    public void Each_side_gets_its_own_folder_and_the_model_is_cleared()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var hybrid = new HybridFixture(skip: 1);
        var weights = hybrid.Hybrid.Layers.Select(layer => layer.Weights).ToList();
        var bias = hybrid.Model.state_dict()["fc2.forward_module.private_module.bias"].Values();

        hybrid.Hybrid.SaveAndClearPrivateInfo(folder.At("deployment"));

        using var client = SafetensorsFile.Open(folder.At("deployment", "client", "model.safetensors"));
        using var server = SafetensorsFile.Open(folder.At("deployment", "server", "frozen_layers.safetensors"));
        Assert.Equal(
            ["fc1.bias", "fc2.forward_module.bias", "lora_1.weight", "lora_2.weight", "lora_3.weight"],
            client.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.Equal(bias, client.ReadSingles("fc2.forward_module.bias"));
        Assert.Equal(
            ["fc1.codes", "fc1.scales", "fc2.codes", "fc2.scales", "fc3.codes", "fc3.scales"],
            server.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.Equal(Array.ConvertAll(weights[1].Codes.ToArray(), code => (long)code), server.ReadInt64s("fc2.codes"));
        Assert.Equal("8", server.Metadata["fc2.bits"]);
        Assert.Equal("AdaptedMlp", server.Metadata["model_id"]);

        Assert.False(hybrid.Hybrid.IsCompiled);
        Assert.Equal(
            ["fc1.bias", "fc2.forward_module.bias"],
            hybrid.Model.state_dict().Keys.Where(name => name.Contains("fc", StringComparison.Ordinal)));
        var exception = Assert.Throws<InvalidOperationException>(() => hybrid.Output(HybridFheMode.Torch));
        Assert.Equal(
            "Layer 'fc1' was cleared by SaveAndClearPrivateInfo or LoadPrivateInfo: its float weight is not here. Compile with the frozen layers and use another mode than torch, or load the model again.",
            exception.Message);
        Assert.Throws<InvalidOperationException>(() => hybrid.Output(HybridFheMode.Execute));
        Assert.Throws<InvalidOperationException>(() => hybrid.Hybrid.CompileModel(() => { }, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Throws<InvalidOperationException>(() => hybrid.Hybrid.SaveAndClearPrivateInfo(folder.At("again")));
    }

    [Fact]
    public void No_frozen_weight_stays_in_a_field_that_kept_its_layer()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var model = new TypedFields();
        using var adapted = LoraModel.Apply(model, new LoraConfig { R = 2, TargetModules = ["adapted", "head"] });
        using var training = new LoraTraining(adapted, 1, (logits, labels) => nn.functional.mse_loss(logits, labels));
        var names = Lora.GetRemoteNames(training).Where(name => !name.Contains("head", StringComparison.Ordinal));
        using var hybrid = new HybridFheModel(training, names);
        using Batch batch = (HybridData.Normal(1, 3, 16), HybridData.Normal(2, 3, 16));
        hybrid.CompileModel(() => training.call(batch).Loss.Dispose(), cancellationToken: TestContext.Current.CancellationToken);
        var head = model.Head.weight.Values();

        hybrid.SaveAndClearPrivateInfo(folder.At("deployment"));

        Assert.All(model.Remote, layer => Assert.Equal((0L, 0L), (layer.weight.numel(), layer.bias!.numel())));
        Assert.Equal(head, model.Head.weight.Values());
        var exception = Assert.Throws<InvalidOperationException>(() => model.call(batch.Input!));
        Assert.Contains("was cleared by SaveAndClearPrivateInfo", exception.Message, StringComparison.Ordinal);
    }

    private sealed class TypedFields : nn.Module<Tensor, Tensor>
    {
        private readonly Linear skipped = nn.Linear(16, 16);
        private readonly Linear plain = nn.Linear(16, 16);
        private readonly Linear adapted = nn.Linear(16, 16);
        private readonly Linear head = nn.Linear(16, 16);

        public TypedFields() : base(nameof(TypedFields)) => RegisterComponents();

        public Linear[] Remote => [skipped, plain, adapted];

        public Linear Head => head;

        public override Tensor forward(Tensor input) => head.call(adapted.call(plain.call(skipped.call(input)).tanh()));
    }
}
