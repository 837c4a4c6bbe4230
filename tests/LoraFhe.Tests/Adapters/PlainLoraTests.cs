using LoraFhe.Fixtures;

namespace LoraFhe.Tests;

/// <summary>PiSSA and OLoRA adapters saved as plain LoRA for the model as it was.</summary>
public sealed class PlainLoraTests
{
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
}
