using TorchSharp.Modules;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>Which modules options adapt, how, and what is trained then.</summary>
public sealed class AdaptedModulesTests
{
    [Theory]
    [Recorded("adapters", "name!=llama-init-pissa-converted")]
    public void Options_adapt_the_modules_that_they_adapt_in_Python(string name)
    {
        using var recorded = AdapterCase.Open(name);
        using var model = LoraModel.Apply(recorded.Bare(), RecordedOptions.Read(recorded.Golden));

        AssertModules(recorded, model);
    }

    [Theory]
    [Recorded("adapters")]
    public void A_file_adapts_the_modules_that_it_adapts_in_Python(string name)
    {
        using var recorded = AdapterCase.Open(name);
        using var model = recorded.Load();

        AssertModules(recorded, model);
    }

    // What was recorded is the model that was trained, says the case: of the converted adapter too, whose options are those before.
    [Theory]
    [Recorded("adapters")]
    public void Options_train_the_parameters_that_they_train_in_Python_and_count_them_as_there(string name)
    {
        using var recorded = AdapterCase.Open(name);
        using var model = LoraModel.Apply(recorded.Bare(), RecordedOptions.Read(recorded.Golden));

        AssertCounts(recorded, model);
    }

    [Theory]
    [Recorded("adapters", "name!=llama-init-pissa-converted")]
    public void A_file_loaded_to_be_trained_on_trains_the_same_parameters(string name)
    {
        using var recorded = AdapterCase.Open(name);
        using var model = recorded.Load(isTrainable: true);

        AssertCounts(recorded, model);
    }

    private static void AssertModules(AdapterCase recorded, LoraModel model)
    {
        var expected = recorded.Expected["adapted_modules"].Items.Select(module => (
            Module: module["module"].AsString, Type: module["base_type"].AsString, R: module["r"].AsInt32, Alpha: module["alpha"].AsDouble,
            Scaling: module["scaling"].AsDouble, In: module["in_features"].AsInt64, Out: module["out_features"].AsInt64));

        Assert.Equal(expected, model.AdaptedLayers.Select(entry => (entry.Name, TypeOf(entry.Layer), entry.Layer.Adapters["default"].R, entry.Layer.Adapters["default"].LoraAlpha,
            entry.Layer.Adapters["default"].Scaling, entry.Layer.InFeatures, entry.Layer.OutFeatures)));

        static string TypeOf(LoraLayer layer) => layer.BaseLayer switch { Linear => "Linear", Conv1D => "Conv1D", Embedding => "Embedding", var other => other.GetName() };
    }

    private static void AssertCounts(AdapterCase recorded, LoraModel model)
    {
        using var text = new StringWriter { NewLine = "" };
        model.PrintTrainableParameters(text);

        Assert.Equal(recorded.Expected["trainable_parameter_names"].AsStrings, model.named_parameters().Where(entry => entry.parameter.requires_grad).Select(entry => entry.name));
        Assert.Equal((recorded.Expected["trainable_params"].AsInt64, recorded.Expected["all_params"].AsInt64), model.GetNbTrainableParameters());
        Assert.Equal(recorded.Expected["print_trainable_parameters"].AsString, text.ToString());
    }
}
