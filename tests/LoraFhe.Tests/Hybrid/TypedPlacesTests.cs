using LoraFhe.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>What holds for every kind of place: a model with replaced layers computes what the untouched model would with other weights.</summary>
public sealed class TypedPlacesTests
{
    public static TheoryData<string> Places =>
    [
        nameof(TypedModels.ReadonlyFields), nameof(TypedModels.BaseFields), nameof(TypedModels.Unregistered), nameof(TypedModels.Properties),
        nameof(TypedModels.CapturedParameters), nameof(TypedModels.TypedModuleList), nameof(TypedModels.SubclassedModuleList),
        nameof(TypedModels.NestedModuleLists), nameof(TypedModels.TypedModuleDict), nameof(TypedModels.TypedArray), nameof(TypedModels.TypedList),
        nameof(TypedModels.TypedDictionary), nameof(TypedModels.ListOfLists), nameof(TypedModels.Tuples), nameof(TypedModels.Objects),
        nameof(TypedModels.Delegates), nameof(TypedModels.TypedConv1D), nameof(TypedModels.TypedAndNot), nameof(TypedModels.TwoParents),
        nameof(TypedModels.TypedInSequential), nameof(TypedModels.SequentialRoot), nameof(TypedModels.NamedComponents),
        nameof(TypedModels.CollectionExpression), nameof(TypedModels.ImmutableLists), nameof(TypedModels.FrozenDictionaries),
        nameof(TypedModels.ReadOnlyListAndField), nameof(TypedModels.Grid), nameof(TypedModels.SetAnew),
    ];

    [Theory]
    [MemberData(nameof(Places))]
    public void An_adapter_changes_output_and_gradient_as_a_changed_weight_does(string kind)
    {
        using var scope = NewDisposeScope();
        using var plain = TypedModels.Create(kind);
        using var adapted = Adapt(kind, plain, TargetModules.AllLinear);
        AddAdapters(plain, adapted);

        var (expected, expectedGradient) = Run(plain);
        var (actual, actualGradient) = Run((nn.Module<Tensor, Tensor>)adapted.Model);

        AssertClose(expected, actual);
        AssertClose(expectedGradient, actualGradient);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public void An_adapter_can_be_taken_out_and_another_put_in(string kind)
    {
        using var scope = NewDisposeScope();
        using var plain = TypedModels.Create(kind);
        var first = Adapt(kind, plain, TargetModules.AllLinear);
        var model = (nn.Module<Tensor, Tensor>)first.Model;
        var untouched = Run(plain).Output;
        foreach (var (_, layer) in first.AdaptedLayers)
        {
            ModuleSurgery.Fill(ModuleSurgery.FindSlots(model)[layer], layer.BaseLayer);
        }

        AssertClose(untouched, Run(model).Output);
        Assert.Equal(plain.state_dict().Keys, model.state_dict().Keys);
        using var second = WithValues(LoraModel.Apply(model, Config(TargetModules.AllLinear), seed: 6));
        AddAdapters(plain, second);
        AssertClose(Run(plain).Output, Run(model).Output);
    }

    [Theory]
    [MemberData(nameof(Places))]
    public void An_adapter_that_cannot_be_loaded_leaves_the_model_as_it_was(string kind)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        using var plain = TypedModels.Create(kind);
        using (var adapted = Adapt(kind, plain, TargetModules.AllLinear))
        {
            adapted.SavePretrained(folder.Path);
        }

        File.WriteAllBytes(folder.At("adapter_model.safetensors"), [1, 2, 3]);
        var (expected, state) = (Run(plain).Output, plain.state_dict().Keys);

        Assert.Throws<InvalidDataException>(() => LoraModel.FromPretrained(plain, folder.Path));

        Assert.Equal(state, plain.state_dict().Keys);
        HybridData.AssertSame(expected, Run(plain).Output);
    }

    // TorchSharp moves no model that has a ModuleDict.
    public static TheoryData<string> MovablePlaces => [.. Places.Select(place => place.Data).Where(place => place != nameof(TypedModels.TypedModuleDict))];

    [Theory]
    [MemberData(nameof(MovablePlaces))]
    public void A_moved_model_computes_as_an_untouched_one_that_was_moved(string kind)
    {
        using var scope = NewDisposeScope();
        using var plain = TypedModels.Create(kind);
        using var adapted = Adapt(kind, plain, TargetModules.AllLinear);
        AddAdapters(plain, adapted);
        var input = HybridData.Normal(3, 5, TypedModels.Width).to_type(ScalarType.Float64);

        adapted.to(ScalarType.Float64);
        plain.to(ScalarType.Float64);

        AssertClose(plain.call(input), ((nn.Module<Tensor, Tensor>)adapted.Model).call(input));
    }

    public static TheoryData<string, int> PlacesAndSkips => [.. Places.SelectMany(place => Enumerable.Range(0, 3).Select(skip => (place.Data, skip)))];

    [Theory]
    [MemberData(nameof(PlacesAndSkips))]
    public void Training_computes_the_gradients_that_the_adapted_model_has(string kind, int skip)
    {
        using var scope = NewDisposeScope();
        using var plain = TypedModels.Create(kind);
        var names = ModuleSurgery.Descendants(plain).Where(entry => LinearShape.IsLinear(entry.Module)).Select(entry => entry.Name).ToList();
        using var adapted = Adapt(kind, plain, [names[0]]);
        var (input, labels) = (HybridData.Normal(3, 5, TypedModels.Width), HybridData.Normal(4, 5, TypedModels.Width));
        nn.functional.mse_loss(((nn.Module<Tensor, Tensor>)adapted.Model).call(input), labels).backward();
        var expected = adapted.TrainableParameters().Select(parameter => parameter.grad!.clone()).ToList();
        adapted.zero_grad();

        using var training = new LoraTraining(adapted, skip, (logits, target) => nn.functional.mse_loss(logits, target));
        using var hybrid = new HybridFheModel(training, Lora.GetRemoteNames(training));
        using var batch = new Batch(input, labels);
        hybrid.CompileModel(() => training.call(batch).Loss.Dispose(), cancellationToken: TestContext.Current.CancellationToken);
        hybrid.Forward<Batch, (Tensor, Tensor?)>(batch, HybridFheMode.Torch);

        foreach (var (gradient, parameter) in expected.Zip(adapted.TrainableParameters()))
        {
            AssertClose(gradient, parameter.grad!);
        }

    }

    private static LoraModel Adapt(string kind, nn.Module<Tensor, Tensor> plain, TargetModules targets)
    {
        var model = TypedModels.Create(kind);
        model.load_state_dict(plain.state_dict());
        return WithValues(LoraModel.Apply(model, Config(targets), seed: 5));
    }

    private static LoraConfig Config(TargetModules targets) => new() { R = 2, TargetModules = targets };

    private static LoraModel WithValues(LoraModel adapted)
    {
        using var _ = no_grad();
        foreach (var (index, (_, layer)) in adapted.AdaptedLayers.Index())
        {
            layer.B().copy_(HybridData.Normal(20 + index, [.. layer.B().shape]) * 0.1);
        }

        return adapted;
    }

    private static void AddAdapters(nn.Module plain, LoraModel adapted)
    {
        using var _ = no_grad();
        foreach (var (name, layer) in adapted.AdaptedLayers)
        {
            var change = layer.B().matmul(layer.A()) * layer.Adapters["default"].Scaling;
            var entry = ModuleSurgery.Descendants(plain).Single(entry => entry.Name == name);
            entry.Module.get_parameter("weight")!.add_(entry.Module is Conv1D ? change.t() : change);
        }
    }

    private static (Tensor Output, Tensor Gradient) Run(nn.Module<Tensor, Tensor> model)
    {
        var input = HybridData.Normal(3, 5, TypedModels.Width).requires_grad_();
        var output = model.call(input);
        (output * HybridData.Normal(6, 5, TypedModels.Width)).sum().backward();
        return (output, input.grad!);
    }

    private static void AssertClose(Tensor expected, Tensor actual) =>
        Assert.True(allclose(expected, actual, rtol: 1e-4, atol: 1e-5), $"{(expected - actual).abs().max().ToDouble()} apart");
}
