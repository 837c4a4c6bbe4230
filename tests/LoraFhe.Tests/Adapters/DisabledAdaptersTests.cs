using static TorchSharp.torch;

namespace LoraFhe.Tests;

public sealed class DisabledAdaptersTests
{
    private static readonly LoraConfig Config = new() { R = 2, TargetModules = ["fc1", "fc3"], InitLoraWeights = InitLoraWeights.Random };

    [Fact]
    public void A_model_with_its_adapters_disabled_answers_as_the_bare_one()
    {
        using var scope = NewDisposeScope();
        var (mlp, input) = (new SimpleMlp(), randn(5, 32));
        var bare = Values(mlp.call(input));
        using var model = LoraModel.Apply(mlp, Config);
        var adapted = Values(mlp.call(input));

        model.DisableAdapters();

        Assert.False(model.IsEnabled);
        Assert.Equal(bare, Values(mlp.call(input)));
        Assert.Empty(model.TrainableParameters());
        Assert.Null(model.AdaptedLayers[0].Layer.ActiveAdapter);

        model.EnableAdapters();

        Assert.True(model.IsEnabled);
        Assert.Equal(adapted, Values(mlp.call(input)));
        Assert.Equal(4, model.TrainableParameters().Count);
        Assert.Equal("default", model.AdaptedLayers[0].Layer.ActiveAdapter);
    }

    [Fact]
    public void A_scope_disables_them_until_its_end_and_no_longer()
    {
        using var scope = NewDisposeScope();
        var (mlp, input) = (new SimpleMlp(), randn(5, 32));
        var bare = Values(mlp.call(input));
        using var model = LoraModel.Apply(mlp, Config);
        var adapted = Values(mlp.call(input));

        using (model.DisableAdapter())
        {
            Assert.Equal(bare, Values(mlp.call(input)));
            using (model.DisableAdapter())
            {
            }

            Assert.Equal(bare, Values(mlp.call(input)));
        }

        Assert.Equal(adapted, Values(mlp.call(input)));
        Assert.Equal(4, model.TrainableParameters().Count);
    }

    [Fact]
    public void A_scope_that_is_over_does_nothing_more()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        var disabled = model.DisableAdapter();
        disabled.Dispose();
        model.DisableAdapters();

        disabled.Dispose();

        Assert.False(model.IsEnabled);
    }

    [Fact]
    public void An_adapter_that_was_frozen_stays_so_when_it_is_enabled_again()
    {
        using var model = LoraModel.Apply(new SimpleMlp(), Config);
        model.SetAdapter("default", inferenceMode: true);

        using (model.DisableAdapter())
        {
        }

        Assert.Empty(model.TrainableParameters());
    }

    [Fact]
    public void Adapters_added_and_set_meanwhile_stay_disabled_until_they_are_enabled()
    {
        using var scope = NewDisposeScope();
        var (mlp, input) = (new SimpleMlp(), randn(5, 32));
        var bare = Values(mlp.call(input));
        using var model = LoraModel.Apply(mlp, Config);
        model.DisableAdapters();

        model.AddAdapter("second", Config with { TargetModules = ["fc2"] });
        model.SetAdapter("second");

        Assert.Equal(bare, Values(mlp.call(input)));
        Assert.Empty(model.TrainableParameters());
        model.EnableAdapters();
        Assert.NotEqual(bare, Values(mlp.call(input)));
        Assert.Equal(2, model.TrainableParameters().Count);
    }

    [Fact]
    public void Disabling_a_merged_adapter_unmerges_it()
    {
        using var scope = NewDisposeScope();
        var (mlp, input, logger) = (new SimpleMlp(), randn(5, 32), new RecordingLogger());
        var bare = mlp.call(input);
        using var model = LoraModel.Apply(mlp, Config, logger: logger);
        model.MergeAdapter();

        model.DisableAdapters();

        Assert.Empty(model.MergedAdapters);
        Assert.True((mlp.call(input) - bare).abs().max().item<float>() < 1e-5f);
        Assert.Equal(["DisableAdapters: merged adapters are unmerged first."], logger.Lines);
    }

    [Fact]
    public void Trained_biases_stay_and_a_warning_says_so()
    {
        using var scope = NewDisposeScope();
        var logger = new RecordingLogger();
        using var model = LoraModel.Apply(new SimpleMlp(), Config with { Bias = LoraBias.LoraOnly }, logger: logger);

        model.DisableAdapters();

        Assert.Equal(["Adapter 'default' trains biases: without it the model does not answer as the bare one."], logger.Lines);
        Assert.Empty(model.TrainableParameters());
        model.EnableAdapters();
        Assert.Equal(6, model.TrainableParameters().Count);
    }

    private static float[] Values(Tensor tensor) => tensor.data<float>().ToArray();
}
