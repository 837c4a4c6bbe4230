using System.Reflection;
using TorchSharp;
using TorchSharp.Modules;
using static LoraFhe.Tests.HoldingModels;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

public sealed class ModuleSurgeryTests
{
    private const BindingFlags Private = BindingFlags.Instance | BindingFlags.NonPublic;

    [Fact]
    public void Descendants_come_in_registration_order_depth_first()
    {
        using var model = new Nested();

        Assert.Equal(
            ["_first", "_blocks", "_blocks.0", "_blocks.0._inner", "_blocks.1", "_blocks.1._inner", "_tail", "_tail.0", "_tail.act", "_tail.2"],
            ModuleSurgery.Descendants(model).Select(entry => entry.Name));
    }

    [Fact]
    public void A_shared_module_is_listed_once_under_its_first_name()
    {
        using var model = new Sharing();

        Assert.Equal(["_one", "_two", "_two._inner"], ModuleSurgery.Descendants(model).Select(entry => entry.Name));
    }

    [Fact]
    public void A_property_counts_under_its_own_name()
    {
        using var model = new WithProperty();

        Assert.Equal("Layer", Assert.Single(ModuleSurgery.Descendants(model)).Name);
    }

    [Fact]
    public void A_module_that_never_registered_its_fields_is_listed_all_the_same()
    {
        using var model = new Unregistered();

        Assert.Equal(["_layer"], ModuleSurgery.Descendants(model).Select(entry => entry.Name));
    }

    public static TheoryData<string, string> Holders => new()
    {
        { nameof(WithReadonlyField), "_layer" },
        { nameof(WithBaseField), "_layer" },
        { nameof(WithProperty), "Layer" },
        { nameof(WithSequential), "0" },
        { nameof(WithModuleList), "0" },
        { nameof(WithModuleDict), "a" },
        { nameof(WithArray), "layer0" },
        { nameof(WithPlainList), "layer0" },
        { nameof(WithPlainDictionary), "layer0" },
        { nameof(WithAlias), "_layer" },
        { nameof(Unregistered), "_layer" },
        { nameof(WithNarrowField), "_layer" },
        { nameof(WithNarrowModuleList), "0" },
        { nameof(WithNarrowArray), "layer0" },
        { nameof(WithTuple), "layer" },
    };

    [Theory]
    [MemberData(nameof(Holders))]
    public void A_replaced_child_is_what_forward_calls_and_what_the_registry_names(string holder, string childName)
    {
        using var model = Create(holder);
        using var scope = NewDisposeScope();
        var place = ModuleSurgery.Descendants(model).First(entry => entry.ChildName == childName || entry.Name == childName);
        using var original = place.Module;
        var replacement = new AddOne();

        ModuleSurgery.Replace(place.Parent, childName, replacement);

        Assert.Equal(2f, model.call(ones(1)).item<float>());
        Assert.Same(replacement, ModuleSurgery.Descendants(model).Single(entry => entry.Name == place.Name).Module);
        Assert.DoesNotContain(ModuleSurgery.Descendants(model), entry => ReferenceEquals(entry.Module, original));
        Assert.Contains(model.named_parameters(), entry => entry.name.EndsWith(place.ChildName + "._marker", StringComparison.Ordinal));
    }

    [Fact]
    public void A_replacement_keeps_its_place_among_the_children()
    {
        using var model = new Nested();
        using var original = model.Blocks[0];

        ModuleSurgery.Replace(model.Blocks, "0", new AddOne());

        Assert.Equal(["0", "1"], model.Blocks.named_children().Select(child => child.name));
    }

    [Theory]
    [InlineData(nameof(WithBlockField), "_block", "'WithBlockField._block' is typed 'Block'")]
    [InlineData(nameof(WithBlockList), "0", "'ModuleList<Block>._list' is typed 'Block'")]
    [InlineData(nameof(WithBlockArray), "layer0", "'WithBlockArray._blocks' is typed 'Block'")]
    public void A_place_too_narrow_for_a_module_that_hooks_cannot_serve_is_refused_by_name_and_nothing_changes(string holder, string childName, string expected)
    {
        using var model = Create(holder);
        using var replacement = new AddOne();
        var place = ModuleSurgery.Descendants(model).First(entry => entry.ChildName == childName);

        var error = Assert.Throws<NotSupportedException>(() => ModuleSurgery.Replace(place.Parent, childName, replacement));

        Assert.Contains($"Layer '{childName}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("'AddOne'", error.Message, StringComparison.Ordinal);
        Assert.Contains("Type it as 'Module<Tensor, Tensor>'", error.Message, StringComparison.Ordinal);
        Assert.Contains(ModuleSurgery.Descendants(model), entry => ReferenceEquals(entry.Module, place.Module));
    }

    [Fact]
    public void A_child_that_no_field_holds_and_hooks_cannot_serve_is_refused()
    {
        using var model = new WithBlockInTuple();
        using var replacement = new AddOne();

        var error = Assert.Throws<NotSupportedException>(() => ModuleSurgery.Replace(model, "layer", replacement));

        Assert.Contains("no field, list or dictionary", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_module_in_a_read_only_list_is_refused_by_list_and_cure_and_nothing_changes()
    {
        using var model = new WithBlockReadOnly();
        using var replacement = new AddOne();
        var child = model.children().Single();

        var error = Assert.Throws<NotSupportedException>(() => ModuleSurgery.Replace(model, "layer0", replacement));

        Assert.Equal(
            "Layer 'layer0': 'WithBlockReadOnly._blocks' is a collection that cannot be changed, so the 'AddOne' that replaces it cannot be put there. "
            + "Hold it in an array, a List or a ModuleList.", error.Message);
        Assert.Same(child, model.children().Single());
    }

    [Fact]
    public void An_unknown_child_is_refused_with_the_names_there_are()
    {
        using var model = new WithReadonlyField();
        using var replacement = new AddOne();

        var error = Assert.Throws<ArgumentException>(() => ModuleSurgery.Replace(model, "fc9", replacement));

        Assert.StartsWith("'WithReadonlyField' has no child 'fc9'; it has '_layer'.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_private_members_of_TorchSharp_that_surgery_uses_exist()
    {
        Assert.NotNull(typeof(nn.Module).GetField("_internal_submodules", Private));
        Assert.True(typeof(nn.Module).GetMethod("RegisterComponents", Private, Type.EmptyTypes)!.IsVirtual);
        Assert.NotNull(typeof(Sequential).GetField("_modules", Private));
        Assert.NotNull(typeof(ModuleList<nn.Module>).GetField("_list", Private));
        Assert.NotNull(typeof(ModuleDict<nn.Module>).GetProperty("Item", [typeof(string)]));
    }

    [Fact]
    public void A_model_can_be_moved_after_surgery()
    {
        using var model = new WithReadonlyField();
        using var original = ModuleSurgery.Descendants(model).First().Module;
        ModuleSurgery.Replace(model, "_layer", new AddOne());

        model.to(ScalarType.Float64);

        using var scope = NewDisposeScope();
        Assert.Equal(2.0, model.call(ones(1, dtype: ScalarType.Float64)).item<double>());
    }

    private static nn.Module<Tensor, Tensor> Create(string name) =>
        (nn.Module<Tensor, Tensor>)Activator.CreateInstance(typeof(HoldingModels).GetNestedType(name)!)!;
}
