using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>PiSSA and OLoRA adapters saved as plain LoRA for the model as it was.</summary>
public sealed class PlainLoraTests
{
    [Theory]
    [InlineData("llama-init-pissa")]
    [InlineData("llama-init-olora")]
    public void Converted_it_is_plain_LoRA_of_twice_the_rank_for_the_model_as_it_was(string name)
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open($"adapters/{name}");
        using var folder = new TemporaryFolder();
        using var model = LoraModel.FromPretrained(SkeletonModel.Of("models/llama-gqa"), golden.Folder);

        model.SavePretrained(folder.Path, convertToLora: true);

        using var converted = LoraModel.FromPretrained(SkeletonModel.Of("models/llama-gqa"), folder.Path);
        Assert.Equal((8, 16.0, InitLoraWeights.KaimingUniform), (converted.Config.R, converted.Config.LoraAlpha, converted.Config.InitLoraWeights));
        foreach (var (before, after) in model.AdaptedLayers.Zip(converted.AdaptedLayers))
        {
            Assert.Equal(2 * before.Layer.Adapters["default"].R, after.Layer.Adapters["default"].R);
            AssertClose(Whole(before.Layer), Whole(after.Layer), 1e-5);
        }

        static Tensor Whole(LoraLayer layer) => layer.BaseLayer.get_parameter("weight")! + layer.B().matmul(layer.A()) * layer.Adapters["default"].Scaling;
    }

    [Fact]
    public void The_converted_file_is_pefts_but_for_the_signs_of_singular_vectors()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Open("adapters/llama-init-pissa");
        using var recorded = Golden.Open("adapters/llama-init-pissa-converted");
        using var folder = new TemporaryFolder();
        using var model = LoraModel.FromPretrained(SkeletonModel.Of("models/llama-gqa"), golden.Folder);

        model.SavePretrained(folder.Path, convertToLora: true);

        using var file = SafetensorsFile.Open(folder.At("adapter_model.safetensors"));
        Assert.Equal(
            recorded.Tensors("adapter_model").Entries.Select(entry => (entry.Name, string.Join(',', entry.Shape))),
            file.Entries.Select(entry => (entry.Name, string.Join(',', entry.Shape))));
        foreach (var entry in file.Entries)
        {
            // The trained half has its signs from the file, the first values' half from the decomposition.
            var (expected, actual) = (tensor(recorded.Singles("adapter_model", entry.Name).Values, [.. entry.Shape]), tensor(file.ReadSingles(entry.Name), [.. entry.Shape]));
            var (dimension, half) = entry.Name.Contains("lora_A", StringComparison.Ordinal) ? (0, 4) : (1, 4);
            AssertClose(expected.narrow(dimension, 0, half), actual.narrow(dimension, 0, half), 0);
            AssertClose(expected.narrow(dimension, half, half).abs(), actual.narrow(dimension, half, half).abs(), 1e-4);
        }
    }

    [Fact]
    public void With_rslora_and_patterns_the_converted_scaling_stays()
    {
        var config = new LoraConfig
        {
            R = 4,
            LoraAlpha = 6,
            UseRslora = true,
            InitLoraWeights = InitLoraWeights.Pissa,
            TargetModules = ["fc1", "fc2", "fc3"],
            RankPattern = new() { ["fc2"] = 2 },
            AlphaPattern = new() { ["fc3"] = 5 },
        };
        using var folder = new TemporaryFolder();
        using var model = LoraModel.Apply(new SimpleMlp(), config);

        model.SavePretrained(folder.Path, convertToLora: true);

        using var converted = LoraModel.FromPretrained(new SimpleMlp(), folder.Path);
        Assert.Equal([8, 4, 8], converted.AdaptedLayers.Select(entry => entry.Layer.Adapters["default"].R));
        Assert.All(
            model.AdaptedLayers.Zip(converted.AdaptedLayers),
            pair => Assert.Equal(pair.First.Layer.Adapters["default"].Scaling, pair.Second.Layer.Adapters["default"].Scaling, 12));
    }

    [Fact]
    public void Plain_LoRA_is_not_converted()
    {
        using var folder = new TemporaryFolder();
        using var model = LoraModel.Apply(new SimpleMlp(), new LoraConfig { TargetModules = ["fc1"], InitLoraWeights = InitLoraWeights.Gaussian });

        var error = Assert.Throws<InvalidOperationException>(() => model.SavePretrained(folder.Path, convertToLora: true));

        Assert.Equal("Adapter 'default' is plain LoRA: there is nothing to convert. Save it without convertToLora.", error.Message);
        Assert.Empty(Directory.EnumerateFiles(folder.Path));
    }

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        Assert.Equal(expected.shape, actual.shape);
        var distance = (expected - actual).abs().max().to(float64).item<double>();
        Assert.True(distance <= tolerance, $"off by {distance}");
    }
}
