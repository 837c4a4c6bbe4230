using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>What is replaced, what is left, and what can be remote, in every recorded model and for every recorded number of skipped layers.</summary>
public sealed class RecordedNamesTests
{
    /// <summary>Every model with every number of skipped layers that was recorded of it.</summary>
    public static TheoryData<string, int> Skips
    {
        get
        {
            var skips = new TheoryData<string, int>();
            foreach (var name in RecordedCases.Of(RecordedCases.ConcreteModels))
            {
                foreach (var skip in Enumerable.Range(0, RecordedModel.Case(name)["replaced"].Members.Count()))
                {
                    skips.Add(name, skip);
                }
            }

            return skips;
        }
    }

    [Theory]
    [Recorded(RecordedCases.ConcreteModels)]
    public void Names_and_trained_parameters_of_an_untouched_adapted_model_are_the_recorded_ones(string name)
    {
        var recorded = RecordedModel.Case(name);
        using var model = RecordedModel.Adapted(recorded);

        Assert.Equal(recorded["remote_names"]["peft_model_untouched"]["False"].AsStrings, Lora.GetRemoteNames(model));
        Assert.Equal(recorded["remote_names"]["peft_model_untouched"]["True"].AsStrings, Lora.GetRemoteNames(model, includeEmbeddingLayers: true));
        Assert.All(model.AdaptedLayers, entry => Assert.Equal(recorded["lora_scaling"].AsDouble, entry.Layer.Adapters["default"].Scaling));
        Assert.Equal(recorded["trainable"].AsStrings, model.named_parameters().Where(entry => entry.parameter.requires_grad).Select(entry => entry.name));
    }

    [Theory]
    [Recorded(RecordedCases.ConcreteModels)]
    public void Parameters_have_the_recorded_names_and_shapes_and_a_tied_one_is_listed_once(string name)
    {
        using var golden = Golden.Open("concrete-ml/" + name);
        using var model = RecordedModel.Adapted(golden.Json("case.json"));

        Assert.Equal(
            golden.Tensors("init").Entries.Select(entry => $"{entry.Name} [{string.Join(',', entry.Shape)}]").Order(StringComparer.Ordinal),
            model.named_parameters().Select(entry => $"{entry.name} [{string.Join(',', entry.parameter.shape)}]").Order(StringComparer.Ordinal));
        var tied = golden.Json("case.json")["tied_weights"].Members.Select(entry => (entry.Name, entry.Value.AsString)).ToList();
        Assert.All(tied, entry => Assert.Equal(AddressOf(model.state_dict()[entry.AsString]), AddressOf(model.state_dict()[entry.Name])));
    }

    [Theory]
    [MemberData(nameof(Skips))]
    public void Names_after_replacement_are_the_recorded_ones(string name, int skip)
    {
        var recorded = RecordedModel.Case(name);
        using var training = RecordedModel.Training(recorded, skip);
        var names = recorded["remote_names"][$"LoraTraining_skip{skip}"];

        Assert.Equal(names["False"].AsStrings, Lora.GetRemoteNames(training));

        // The recorded list has lm_head's two halves twice: a defect of the reference that is not kept.
        Assert.Equal(names["True"].AsStrings.Distinct(), Lora.GetRemoteNames(training, includeEmbeddingLayers: true));
    }

    [Theory]
    [MemberData(nameof(Skips))]
    public void The_recorded_layers_are_replaced_in_the_recorded_order_and_the_recorded_ones_left(string name, int skip)
    {
        var recorded = RecordedModel.Case(name);
        using var training = RecordedModel.Training(recorded, skip);
        var modules = ModuleSurgery.Descendants(training).ToList();

        Assert.Equal(
            recorded["replaced"][$"skip{skip}"].Items.Select(Describe),
            modules.Where(entry => entry.Module is CustomLinear).Select(entry => Describe(entry.Name, (ForwardModuleLinear)((CustomLinear)entry.Module).ForwardModule)));
        Assert.Equal(
            recorded["left_linear"][$"skip{skip}"].Items.Select(layer => $"{layer["name"].AsString} {layer["type"].AsString}"),
            modules.Where(entry => Lora.LinearLayers.Contains(entry.Module.GetType())).Select(entry => $"{entry.Name} {entry.Module.GetType().Name}"));
    }

    private static unsafe nint AddressOf(Tensor tensor)
    {
        fixed (byte* first = tensor.bytes)
        {
            return (nint)first;
        }
    }

    private static string Describe(GoldenJson layer) =>
        Describe(layer["name"].AsString, layer["weight_shape"].AsInt64s, layer["bias"].AsBoolean, layer["weight_transposed"].AsBoolean);

    private static string Describe(string name, ForwardModuleLinear layer) =>
        Describe(name, layer.weight.shape, layer.bias is not null, layer.Frozen.Transposed);

    private static string Describe(string name, long[] shape, bool hasBias, bool transposed) =>
        $"{name} [{string.Join(',', shape)}] bias {hasBias} transposed {transposed}";
}
