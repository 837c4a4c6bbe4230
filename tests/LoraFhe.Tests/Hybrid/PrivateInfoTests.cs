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
    public void Clearing_frees_the_weights_whoever_holds_them_and_the_backend_forgets()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var hybrid = new HybridFixture(skip: 1);
        var parameters = hybrid.Model.named_parameters().ToList();
        var backend = (InProcessFheBackend)hybrid.Hybrid.Backend;
        hybrid.Hybrid.PrepareExecute(cancellationToken: TestContext.Current.CancellationToken);
        Assert.NotNull(backend.Seed);

        hybrid.Hybrid.SaveAndClearPrivateInfo(folder.Path);

        Assert.Equal(
            ["fc1.private_module.weight", "fc2.forward_module.private_module.weight", "fc3.forward_module.private_module.weight"],
            parameters.Where(entry => entry.parameter.numel() == 0).Select(entry => entry.name));
        Assert.Null(backend.Seed);
        Assert.Throws<InvalidOperationException>(() => backend.Multiply(new LayerId("fc1", LayerDirection.Forward), new float[24], 1, new float[37]));
        Assert.True(hybrid.Hybrid.IsCleared);
        Assert.Empty(hybrid.Hybrid.Layers);
    }

    [Fact]
    public void A_weight_that_a_module_in_clear_shares_stays_with_the_client()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var words = nn.Embedding(20, 8);
        var table = words.weight!.Values();
        using var model = nn.Sequential(("words", words), ("fc", nn.Linear(8, 8)), ("head", nn.Linear(words.named_parameters().Single().parameter)));
        using var hybrid = new HybridFheModel(model, ["fc", "head"]);
        hybrid.CompileModel<Tensor, Tensor>(arange(5, ScalarType.Int64), cancellationToken: TestContext.Current.CancellationToken);

        hybrid.SaveAndClearPrivateInfo(folder.Path);

        using var client = SafetensorsFile.Open(folder.At("client", "model.safetensors"));
        Assert.Equal(["fc.bias", "words.weight"], client.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.Equal(table, client.ReadSingles("words.weight"));
        Assert.Equal(table, words.weight!.Values());
    }

    [Fact]
    public void An_embedding_that_is_remote_is_in_the_servers_folder_only()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var words = nn.Embedding_from_pretrained(HybridData.Normal(1, 20, 8));
        using var model = nn.Sequential(("words", words), ("norm", nn.LayerNorm(8)));
        using var hybrid = new HybridFheModel(model, ["words"]);
        hybrid.CompileModel<Tensor, Tensor>(arange(5, ScalarType.Int64), cancellationToken: TestContext.Current.CancellationToken);

        hybrid.SaveAndClearPrivateInfo(folder.Path);

        using var client = SafetensorsFile.Open(folder.At("client", "model.safetensors"));
        Assert.Equal(["norm.bias", "norm.weight"], client.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        var layer = Assert.Single(FrozenLayerFile.Read(folder.At("server")));
        Assert.Equal(("words", 20, 8), (layer.Name, layer.InFeatures, layer.OutFeatures));
        Assert.All(words.parameters().Append(words.weight!), weight => Assert.Equal(0, weight.numel()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("client")]
    [InlineData("server")]
    [InlineData("client/model.safetensors")]
    [InlineData("server/frozen_layers.safetensors")]
    public void What_cannot_be_written_is_named_and_nothing_is_cleared(string taken)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var hybrid = new HybridFixture();
        var before = hybrid.Output(HybridFheMode.Disable);
        var blocked = folder.At("deployment", taken);
        if (taken.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            // A folder where the file should be; on other names a file where the folder should be.
            Directory.CreateDirectory(blocked);
        }
        else
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(blocked))!);
            File.WriteAllText(Path.TrimEndingDirectorySeparator(blocked), "");
        }

        var error = Assert.Throws<IOException>(() => hybrid.Hybrid.SaveAndClearPrivateInfo(folder.At("deployment")));

        Assert.StartsWith($"'{folder.At("deployment")}' cannot be written: ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("Nothing was cleared.", error.Message, StringComparison.Ordinal);
        Assert.True(hybrid.Hybrid.IsCompiled);
        HybridData.AssertSame(before, hybrid.Output(HybridFheMode.Disable));
        hybrid.Output(HybridFheMode.Execute);
        hybrid.Output(HybridFheMode.Torch);
        Assert.Empty(Directory.Exists(folder.At("deployment")) ? Directory.GetFiles(folder.At("deployment"), "*.tmp", SearchOption.AllDirectories) : []);
    }

    [Fact]
    public void Folders_of_an_earlier_call_get_new_files_and_keep_what_else_is_there()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        foreach (var seed in new[] { 1, 2 })
        {
            using var hybrid = new HybridFixture(seed: seed);
            var scales = hybrid.Hybrid.Layers[0].Weights.Scales.ToArray();
            hybrid.Hybrid.SaveAndClearPrivateInfo(folder.Path);
            File.WriteAllText(folder.At("client", "notes.txt"), "mine");

            Assert.Equal(scales, FrozenLayerFile.Read(folder.At("server")).Single(layer => layer.Name == "fc1").Scales.ToArray());
        }

        Assert.Equal("mine", File.ReadAllText(folder.At("client", "notes.txt")));
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
        Assert.StartsWith("Layer 'inference_model.base_model.model.skipped' was cleared", exception.Message, StringComparison.Ordinal);
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
