using LoraFhe.Tests.Hybrid;
using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>Adapters on models whose fields can hold nothing but what they hold: added, merged, and taken out without a trace.</summary>
public sealed class TypedModelAdaptersTests
{
    private static readonly LoraConfig Config = new() { R = 2, TargetModules = TargetModules.AllLinear, InitLoraWeights = InitLoraWeights.Random };

    public static TheoryData<string> Places => [.. TypedPlacesTests.Places.Select(row => row.Data)];

    [Theory]
    [MemberData(nameof(Places))]
    public void Unloaded_each_layer_is_where_it_was_and_nothing_else_is_called(string kind)
    {
        using var scope = NewDisposeScope();
        var (model, input) = (TypedModels.Create(kind), randn(5, TypedModels.Width));
        _ = ModuleSurgery.Descendants(model).Count();
        var (held, names, bare) = (Held(model), Names(model), Values(model, input));
        using var adapted = LoraModel.Apply(model, Config);
        Assert.NotEqual(bare, Values(model, input));

        adapted.Unload();

        Assert.Equal(held, Held(model));
        Assert.Equal(names, Names(model));
        Assert.Equal(bare, Values(model, input));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public void Two_adapters_are_switched_merged_and_unloaded(string kind)
    {
        using var scope = NewDisposeScope();
        var (model, input) = (TypedModels.Create(kind), randn(5, TypedModels.Width));
        using var adapted = LoraModel.Apply(model, Config, seed: 1);
        var first = model.call(input);
        adapted.AddAdapter("second", Config, seed: 2);
        adapted.SetAdapter("second");
        var second = model.call(input);

        adapted.SetAdapter("default");
        AssertClose(first, model.call(input));
        adapted.DeleteAdapter("default");
        AssertClose(second, model.call(input));
        adapted.MergeAndUnload(safeMerge: true);

        AssertClose(second, model.call(input));
    }

    // TorchSharp cannot move a model that contains a ModuleDict.
    public static TheoryData<string> PlacesThatMove => [.. Places.Select(row => row.Data).Where(kind => kind != nameof(TypedModels.TypedModuleDict))];

    [Theory]
    [MemberData(nameof(PlacesThatMove))]
    public void Moved_to_another_type_a_model_is_merged_and_unloaded_in_it(string kind)
    {
        using var scope = NewDisposeScope();
        var (model, input) = (TypedModels.Create(kind), randn(5, TypedModels.Width).to(ScalarType.Float64));
        using var adapted = LoraModel.Apply(model, Config);
        adapted.to(ScalarType.Float64);
        var before = model.call(input);

        adapted.MergeAndUnload();

        AssertClose(before, model.call(input));
    }

    private static List<(string, nn.Module)> Held(nn.Module model) =>
        [.. ModuleSurgery.FindSlots(model).Values.SelectMany(slots => slots).Select(slot => ($"{slot.Owner.GetName()}.{slot.Name}", slot.Held))
            .OrderBy(place => place.Item1, StringComparer.Ordinal)];

    private static List<string> Names(nn.Module model) => [.. model.named_parameters().Select(entry => entry.name)];

    private static float[] Values(nn.Module<Tensor, Tensor> model, Tensor input) => model.call(input).data<float>().ToArray();

    private static void AssertClose(Tensor expected, Tensor actual)
    {
        var distance = (expected - actual).abs().max().to(float64).item<double>();
        Assert.True(distance <= 1e-5, $"off by {distance}");
    }
}
