using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
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
        Assert.DoesNotContain(hybrid.Model.state_dict().Keys, name => name.Contains("fc", StringComparison.Ordinal));
        var exception = Assert.Throws<InvalidOperationException>(() => hybrid.Output(HybridFheMode.Torch));
        Assert.Equal("Layer 'fc1' was cleared by SaveAndClearPrivateInfo; load the model again to use it.", exception.Message);
        Assert.Throws<InvalidOperationException>(() => hybrid.Output(HybridFheMode.Execute));
        Assert.Throws<InvalidOperationException>(() => hybrid.Hybrid.CompileModel(() => { }, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Throws<InvalidOperationException>(() => hybrid.Hybrid.SaveAndClearPrivateInfo(folder.At("again")));
    }
}
