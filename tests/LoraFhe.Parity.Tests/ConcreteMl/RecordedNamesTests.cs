using LoraFhe.Fixtures;

namespace LoraFhe.Tests.Parity;

/// <summary>What is replaced, what is left, and what can be remote, in every recorded case and for every recorded number of skipped layers.</summary>
public sealed class RecordedNamesTests
{
    public static TheoryData<string> Cases => [.. RecordedSkeleton.Cases];

    public static TheoryData<string, int> Skips
    {
        get
        {
            var skips = new TheoryData<string, int>();
            foreach (var name in RecordedSkeleton.Cases)
            {
                for (var skip = 0; skip <= 3; skip++)
                {
                    skips.Add(name, skip);
                }
            }

            return skips;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Names_and_trained_parameters_of_an_untouched_adapted_model_are_the_recorded_ones(string name)
    {
        var recorded = Recorded(name);
        using var model = RecordedSkeleton.Adapted(recorded);

        Assert.Equal(recorded["remote_names"]["peft_model_untouched"]["False"].AsStrings, Lora.GetRemoteNames(model));
        Assert.Equal(recorded["remote_names"]["peft_model_untouched"]["True"].AsStrings, Lora.GetRemoteNames(model, includeEmbeddingLayers: true));
        Assert.Equal(recorded["trainable"].AsStrings, model.named_parameters().Where(entry => entry.parameter.requires_grad).Select(entry => entry.name));
    }

    [Theory]
    [MemberData(nameof(Skips))]
    public void Names_after_replacement_are_the_recorded_ones(string name, int skip)
    {
        var recorded = Recorded(name);
        using var training = RecordedSkeleton.Training(recorded, skip);
        var names = recorded["remote_names"][$"LoraTraining_skip{skip}"];

        Assert.Equal(names["False"].AsStrings, Lora.GetRemoteNames(training));

        // The recorded list has lm_head's two halves twice: a defect of the reference that is not kept.
        Assert.Equal(names["True"].AsStrings.Distinct(), Lora.GetRemoteNames(training, includeEmbeddingLayers: true));
    }

    [Theory]
    [MemberData(nameof(Skips))]
    public void The_recorded_layers_are_replaced_in_the_recorded_order_and_the_recorded_ones_left(string name, int skip)
    {
        var recorded = Recorded(name);
        using var training = RecordedSkeleton.Training(recorded, skip);
        var modules = ModuleSurgery.Descendants(training).ToList();

        Assert.Equal(
            recorded["replaced"][$"skip{skip}"].Items.Select(Describe),
            modules.Where(entry => entry.Module is CustomLinear).Select(entry => Describe(entry.Name, (ForwardModuleLinear)((CustomLinear)entry.Module).ForwardModule)));
        Assert.Equal(
            recorded["left_linear"][$"skip{skip}"].Items.Select(layer => $"{layer["name"].AsString} {layer["type"].AsString}"),
            modules.Where(entry => Lora.LinearLayers.Contains(entry.Module.GetType())).Select(entry => $"{entry.Name} {entry.Module.GetType().Name}"));
    }

    [Theory]
    [InlineData("mlp", "torch_skip1_mse_adamw_full")]
    [InlineData("glwe", "disable_skip1_adamw_full")]
    public void A_prepared_model_has_the_recorded_names_of_parameters(string name, string run)
    {
        using var golden = Golden.Open("concrete-ml/" + name);
        using var training = RecordedSkeleton.Training(Recorded(name), 1);
        using var hybrid = new HybridFheModel(training, Lora.GetRemoteNames(training));
        var recorded = golden.Json($"runs/{run}.json")["checkpoints"]["checkpoint_epoch_1.pth"]["model_state_dict"].AsStrings;

        Assert.Equal(recorded.Order(), training.InferenceModel.state_dict().Keys.Order());

        // A weight that both halves share is one parameter, under the first one's name.
        Assert.Equal(
            recorded.Where(parameter => !parameter.Contains(".backward_module.", StringComparison.Ordinal)),
            training.InferenceModel.named_parameters().Select(entry => entry.name));
    }

    private static GoldenJson Recorded(string name)
    {
        using var golden = Golden.Open("concrete-ml/" + name);
        return golden.Json("case.json");
    }

    private static string Describe(GoldenJson layer) =>
        Describe(layer["name"].AsString, layer["weight_shape"].AsInt64s, layer["bias"].AsBoolean, layer["weight_transposed"].AsBoolean);

    private static string Describe(string name, ForwardModuleLinear layer) =>
        Describe(name, layer.weight.shape, layer.bias is not null, layer.Frozen.Transposed);

    private static string Describe(string name, long[] shape, bool hasBias, bool transposed) =>
        $"{name} [{string.Join(',', shape)}] bias {hasBias} transposed {transposed}";
}
