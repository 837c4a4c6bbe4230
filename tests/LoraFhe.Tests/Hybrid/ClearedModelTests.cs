using LoraFhe.Cryptography;
using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>A model whose frozen weights are gone: the client's half loaded, the server's integers given to the compilation.</summary>
public sealed class ClearedModelTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(8, true)]
    [InlineData(10, false)]
    public void Both_halves_loaded_compute_what_the_model_did(int bits, bool dynamic)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var options = new HybridCompileOptions { Bits = bits, UseDynamicQuantization = dynamic };
        using var original = new HybridFixture(skip: 1, options);
        var output = original.Output(HybridFheMode.Disable);
        var gradients = original.Gradients(HybridFheMode.Disable);
        original.Hybrid.SaveAndClearPrivateInfo(folder.Path);

        using var loaded = Loaded(folder, options with { FrozenLayers = FrozenLayerFile.Read(folder.At("server")) });

        // One scale a layer comes from the calibration, which runs on integers here and ran on floats there.
        HybridData.AssertClose(output, loaded.Output(HybridFheMode.Disable), dynamic ? 0 : 1e-2);
        foreach (var mode in new[] { HybridFheMode.Disable, HybridFheMode.Simulate, HybridFheMode.Execute })
        {
            foreach (var (expected, actual) in gradients.Zip(loaded.Gradients(mode)))
            {
                Assert.InRange(HybridData.RelativeDistance(actual, expected), 0, 5e-3);
            }
        }

        Assert.True(loaded.Hybrid.IsCleared);
        var error = Assert.Throws<InvalidOperationException>(() => loaded.Output(HybridFheMode.Torch));
        Assert.StartsWith("Layer 'fc1' was cleared by SaveAndClearPrivateInfo or LoadPrivateInfo: its float weight is not here.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Calibration_on_integers_asks_for_the_same_products()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var original = new HybridFixture(skip: 1);
        var needs = original.Hybrid.Layers.Select(layer => (layer.Weights.Name, layer.NeedsForward, layer.NeedsBackward)).ToList();
        original.Hybrid.SaveAndClearPrivateInfo(folder.Path);

        using var loaded = Loaded(folder, new HybridCompileOptions { FrozenLayers = FrozenLayerFile.Read(folder.At("server")) });

        Assert.Equal(needs, loaded.Hybrid.Layers.Select(layer => (layer.Weights.Name, layer.NeedsForward, layer.NeedsBackward)));
        Assert.Equal([true, true, true], needs.Select(need => need.NeedsForward));
        Assert.Equal([false, true, true], needs.Select(need => need.NeedsBackward));
    }

    [Fact]
    public void The_model_that_was_saved_goes_on_with_the_layers_it_wrote_and_can_be_saved_again()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var hybrid = new HybridFixture(skip: 1);
        var output = hybrid.Output(HybridFheMode.Disable);
        hybrid.Hybrid.SaveAndClearPrivateInfo(folder.Path);
        var client = File.ReadAllBytes(folder.At("client", "model.safetensors"));
        var server = File.ReadAllBytes(folder.At("server", "frozen_layers.safetensors"));
        var unprepared = Assert.Throws<InvalidOperationException>(() => Compile(hybrid, new HybridCompileOptions()));
        Assert.StartsWith("The model was cleared by SaveAndClearPrivateInfo or LoadPrivateInfo: its frozen weights are not here.", unprepared.Message, StringComparison.Ordinal);

        Compile(hybrid, new HybridCompileOptions { FrozenLayers = FrozenLayerFile.Read(folder.At("server")) });
        HybridData.AssertSame(output, hybrid.Output(HybridFheMode.Disable));
        hybrid.Hybrid.SaveAndClearPrivateInfo(folder.Path);

        Assert.Equal(client, File.ReadAllBytes(folder.At("client", "model.safetensors")));
        Assert.Equal(server, File.ReadAllBytes(folder.At("server", "frozen_layers.safetensors")));
    }

    [Fact]
    public void A_whole_model_may_be_compiled_with_given_layers_too()
    {
        using var scope = NewDisposeScope();
        using var original = new HybridFixture(options: new HybridCompileOptions { Bits = 11 });
        using var other = new HybridFixture(compile: false, seed: 1);

        Compile(other, new HybridCompileOptions { Bits = null, FrozenLayers = [.. original.Hybrid.Layers.Select(layer => layer.Weights).Reverse()] });

        HybridData.AssertSame(original.Output(HybridFheMode.Disable), other.Output(HybridFheMode.Disable));
        other.Output(HybridFheMode.Torch);
    }

    [Fact]
    public void Layers_that_do_not_fit_are_refused_by_name()
    {
        using var scope = NewDisposeScope();
        using var original = new HybridFixture();
        var layers = original.Hybrid.Layers.Select(layer => layer.Weights).ToList();
        using var other = new HybridFixture(compile: false);

        Refused("The frozen layers given lack 'fc3', which this model computes remotely.", layers.Take(2));
        Refused("The frozen layers given have 'fc4', which this model does not compute remotely.", [.. layers, Layer("fc4", 8, 5, 19)]);
        Refused("The frozen layers given have 'fc3' twice.", [.. layers, layers[2]]);
        Refused("The frozen layer 'fc3' is [5, 18]; the model's is [5, 19].", [.. layers.Take(2), Layer("fc3", 8, 5, 18)]);
        Refused("The frozen layers given have 10 bits, 'fc3' for one; 8 were asked for. Use 10, or null to take the layers as they are.", [.. layers.Take(2), Layer("fc3", 10, 5, 19)]);
        Refused("The frozen layers given belong to model 'AdaptedMlp', 'fc1' for one; ModelId is 'mine'.", layers, "mine");
        Assert.False(other.Hybrid.IsCompiled);

        void Refused(string text, IEnumerable<QuantizedLayer> given, string? modelId = null)
        {
            var error = Assert.Throws<ArgumentException>(() => Compile(other, new HybridCompileOptions { FrozenLayers = [.. given], ModelId = modelId }));
            Assert.StartsWith(text, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_layers_of_another_model_of_the_same_shapes_are_refused()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var original = new HybridFixture(skip: 1);
        using var other = new HybridFixture(skip: 1, seed: 77);
        original.Hybrid.SaveAndClearPrivateInfo(folder.At("mine"));
        other.Hybrid.SaveAndClearPrivateInfo(folder.At("other"));

        var error = Assert.Throws<ArgumentException>(() => Compile(original, new HybridCompileOptions { FrozenLayers = FrozenLayerFile.Read(folder.At("other", "server")) }));

        Assert.StartsWith("The frozen layers given are not those that the client's half was written with", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_clients_file_that_does_not_fit_is_refused_by_tensor_and_changes_nothing()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using (var original = new HybridFixture(skip: 1))
        {
            original.Hybrid.SaveAndClearPrivateInfo(folder.Path);
        }

        using var other = new HybridFixture(skip: 1, seed: 5);
        var before = other.Output(HybridFheMode.Torch);
        var path = folder.At("client", "model.safetensors");
        var (tensors, metadata) = Content(path);
        var one = tensors.Single(tensor => tensor.Name == "lora_2.weight");

        Refused("model.safetensors has no 'lora_2.weight', which this model keeps at the client.", tensors.Where(tensor => tensor != one));
        Refused("model.safetensors has 'extra', which this model does not keep at the client.", [.. tensors, one with { Name = "extra" }]);
        Refused("model.safetensors: 'lora_2.weight' is [37, 19]; the model needs [19, 37] of Float32.", [.. tensors.Where(tensor => tensor != one), one with { Shape = [37, 19] }]);
        Refused("model.safetensors: 'lora_2.weight' is [19, 37]; the model needs [19, 37] of Float32.", [.. tensors.Where(tensor => tensor != one), one with { DType = SafetensorsDType.I32 }]);
        metadata.Remove("frozen_layers");
        Refused("model.safetensors is no client's half that SaveAndClearPrivateInfo wrote.", tensors);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..200]);
        Assert.Throws<InvalidDataException>(() => other.Hybrid.LoadPrivateInfo(folder.At("client")));
        var missing = Assert.Throws<FileNotFoundException>(() => other.Hybrid.LoadPrivateInfo(folder.At("server")));
        Assert.StartsWith($"'{folder.At("server")}' has no 'model.safetensors'.", missing.Message, StringComparison.Ordinal);

        Assert.True(other.Hybrid.IsCompiled);
        HybridData.AssertSame(before, other.Output(HybridFheMode.Torch));

        void Refused(string text, IEnumerable<SafetensorsTensor> changed)
        {
            SafetensorsWriter.Write(path, changed, metadata);
            var error = Assert.Throws<InvalidDataException>(() => other.Hybrid.LoadPrivateInfo(folder.At("client")));
            Assert.StartsWith(text, error.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>What a file holds.</summary>
    internal static (List<SafetensorsTensor> Tensors, Dictionary<string, string> Metadata) Content(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return ([.. file.Entries.Select(entry => new SafetensorsTensor(entry.Name, entry.DType, [.. entry.Shape], file.Bytes(entry.Name).ToArray()))], new(file.Metadata));
    }

    private static HybridFixture Loaded(TemporaryFolder folder, HybridCompileOptions options)
    {
        var fixture = new HybridFixture(skip: 1, compile: false, seed: 1234);
        fixture.Hybrid.LoadPrivateInfo(folder.At("client"));
        Compile(fixture, options);
        return fixture;
    }

    private static void Compile(HybridFixture fixture, HybridCompileOptions options) =>
        fixture.Hybrid.CompileModel(() => fixture.Model.Gradients(fixture.Input), options, cancellationToken: Token);

    private static QuantizedLayer Layer(string name, int bits, int outputs, int inputs) =>
        QuantizedLayer.Create("AdaptedMlp", name, bits, outputs, inputs, new short[outputs * inputs], [.. Enumerable.Repeat(1f, outputs)]);
}
