using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>Where DoRA cannot be, or would not be what a file or a model means.</summary>
public sealed class DoraMistakesTests
{
    private static readonly LoraConfig Config = new() { R = 4, LoraAlpha = 6, UseDora = true, TargetModules = ["fc1", "fc3"] };

    [Theory]
    [InlineData(true, "adapter_config.json: 'use_dora' is true; the model's adapter has no magnitudes. Load it under a name of its own.")]
    [InlineData(false, "adapter_config.json: 'use_dora' is false; the model's adapter has magnitudes. Load it under a name of its own.")]
    public void A_file_of_the_other_kind_is_not_read_into_an_adapter_in_use(bool isDora, string expected)
    {
        using var folder = new TemporaryFolder();
        using var saved = LoraModel.Apply(new SimpleMlp(), Config with { UseDora = isDora });
        using var model = LoraModel.Apply(new SimpleMlp(), Config with { UseDora = !isDora });
        saved.SavePretrained(folder.Path);
        var before = AdapterState.Of(model);

        var error = Assert.Throws<InvalidDataException>(() => model.LoadAdapter(folder.Path));

        Assert.Equal(expected, error.Message);
        Assert.Equal(before, AdapterState.Of(model));
        model.LoadAdapter(folder.Path, "other");
    }

    [Fact]
    public void Beside_a_module_that_shows_no_weight_it_is_refused_by_name()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        using var original = model.AdaptedLayers[0].Layer.BaseLayer;
        ModuleSurgery.Replace(model.AdaptedLayers[0].Layer, "base_layer", nn.Sequential(("fc", nn.Linear(32, 64))));

        var error = Assert.Throws<NotSupportedException>(() => model.AdaptedLayers[0].Layer.call(ones(1, 32)));

        Assert.Equal(
            "An adapter with DoRA stands beside a 'Sequential', which shows no weight whose norms could be taken. Leave the Linear, Conv1D or Embedding there.",
            error.Message);
    }

    [Fact]
    public void What_has_no_norm_or_no_meaning_is_refused_by_name()
    {
        using var mlp = new SimpleMlp();
        using (no_grad())
        {
            mlp.get_parameter("fc3.weight")![5].zero_();
        }

        var zero = Assert.Throws<ArgumentException>(() => LoraModel.Apply(mlp, Config));
        var bias = Assert.Throws<ArgumentException>(() => LoraModel.Apply(mlp, Config with { LoraBias = true }));

        Assert.Equal("UseDora is set and an output of 'fc3' has no weight but zeros, which no norm can be given. Leave the layer out.", zero.Message);
        Assert.StartsWith("LoraBias and UseDora are both set, which peft does not have. Leave one of them out.", bias.Message, StringComparison.Ordinal);
        Assert.All(mlp.parameters(), parameter => Assert.True(parameter.requires_grad));
    }
}
