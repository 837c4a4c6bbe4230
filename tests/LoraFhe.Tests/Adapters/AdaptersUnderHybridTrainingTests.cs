using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>Once frozen layers compute for hybrid training, their weights stay; adapters may still be switched and disabled.</summary>
public sealed class AdaptersUnderHybridTrainingTests
{
    private static readonly LoraConfig Config = new() { R = 2, TargetModules = ["fc1", "fc3"], InitLoraWeights = InitLoraWeights.Random };

    [Fact]
    public void Under_hybrid_training_the_weights_and_layers_stay_as_they_are()
    {
        using var folder = new TemporaryFolder();
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        model.AddAdapter("second", Config);
        model.SavePretrained(folder.Path);
        LoraTraining.ReplaceLayersWithCustom(model, 1);
        var before = AdapterState.Of(model);
        Action[] refused =
        [
            () => model.MergeAdapter(), () => model.MergeAndUnload(), () => model.Unload(), () => model.DeleteAdapter("second"),
            () => model.AddAdapter("third", Config), () => model.LoadAdapter(folder.Path, "third"),
        ];

        foreach (var act in refused)
        {
            var error = Assert.Throws<InvalidOperationException>(act);
            Assert.StartsWith("Layer 'fc2' is a 'CustomLinear' of hybrid training: ", error.Message, StringComparison.Ordinal);
            Assert.EndsWith("Save the adapter with SavePretrained, load it on the model as it was and do it there.", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(before, AdapterState.Of(model));
    }

    [Fact]
    public void What_was_merged_before_hybrid_training_stays_merged()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        model.MergeAdapter();
        LoraTraining.ReplaceLayersWithCustom(model, 0);

        foreach (var act in new Action[] { model.UnmergeAdapter, model.DisableAdapters, () => model.DisableAdapter(), () => model.SetAdapter("default") })
        {
            Assert.StartsWith("Layer 'fc1' is a 'CustomLinear' of hybrid training", Assert.Throws<InvalidOperationException>(act).Message, StringComparison.Ordinal);
        }

        Assert.Equal(["default"], model.MergedAdapters);
        Assert.True(model.IsEnabled);
    }

    [Fact]
    public void Under_hybrid_training_adapters_can_be_switched_and_disabled()
    {
        using var scope = NewDisposeScope();
        var (mlp, input) = (new SimpleMlp(), randn(5, 32));
        var bare = mlp.call(input);
        using var model = LoraModel.Apply(mlp, Config);
        model.AddAdapter("second", Config);
        model.SetAdapter("second");
        var second = mlp.call(input);
        LoraTraining.ReplaceLayersWithCustom(model, 0);

        Assert.True(mlp.call(input).allclose(second, rtol: 0, atol: 1e-5));
        using (model.DisableAdapter())
        {
            Assert.True(mlp.call(input).allclose(bare, rtol: 0, atol: 1e-5));
        }

        model.SetAdapter("default");
        Assert.False(mlp.call(input).allclose(second, rtol: 0, atol: 1e-5));
    }
}
