using System.Reflection;
using TorchSharp;
using TorchSharp.Modules;
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
            ["first", "blocks", "blocks.0", "blocks.0.inner", "blocks.1", "blocks.1.inner", "tail", "tail.0", "tail.act", "tail.2"],
            ModuleSurgery.Descendants(model).Select(entry => entry.Name));
    }

    [Fact]
    public void A_shared_module_is_listed_once_under_its_first_name()
    {
        using var model = new Sharing();

        Assert.Equal(["_one", "_two", "_two.inner"], ModuleSurgery.Descendants(model).Select(entry => entry.Name));
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

        Assert.Equal(["layer"], ModuleSurgery.Descendants(model).Select(entry => entry.Name));
    }

    public static TheoryData<string, string> Holders => new()
    {
        { nameof(WithReadonlyField), "layer" },
        { nameof(WithBaseField), "layer" },
        { nameof(WithProperty), "Layer" },
        { nameof(WithSequential), "0" },
        { nameof(WithModuleList), "0" },
        { nameof(WithModuleDict), "a" },
        { nameof(WithArray), "layer0" },
        { nameof(WithPlainList), "layer0" },
        { nameof(WithPlainDictionary), "layer0" },
        { nameof(WithAlias), "layer" },
        { nameof(Unregistered), "layer" },
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
        Assert.Contains(model.named_parameters(), entry => entry.name.EndsWith(place.ChildName + ".marker", StringComparison.Ordinal));
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
    [InlineData(nameof(WithNarrowField), "layer", "'WithNarrowField.layer' is typed 'Linear'")]
    [InlineData(nameof(WithNarrowModuleList), "0", "'ModuleList<Linear>._list' is typed 'Linear'")]
    [InlineData(nameof(WithNarrowArray), "layer0", "'WithNarrowArray._layers' is typed 'Linear'")]
    public void A_place_too_narrow_is_refused_by_name_and_nothing_changes(string holder, string childName, string expected)
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
    public void A_child_that_no_field_holds_is_refused()
    {
        using var model = new WithHiddenHolder();
        using var replacement = new AddOne();

        var error = Assert.Throws<NotSupportedException>(() => ModuleSurgery.Replace(model, "layer", replacement));

        Assert.Contains("no field, list or dictionary", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_child_is_refused_with_the_names_there_are()
    {
        using var model = new WithReadonlyField();
        using var replacement = new AddOne();

        var error = Assert.Throws<ArgumentException>(() => ModuleSurgery.Replace(model, "fc9", replacement));

        Assert.StartsWith("'WithReadonlyField' has no child 'fc9'; it has 'layer'.", error.Message, StringComparison.Ordinal);
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
        ModuleSurgery.Replace(model, "layer", new AddOne());

        model.to(ScalarType.Float64);

        using var scope = NewDisposeScope();
        Assert.Equal(2.0, model.call(ones(1, dtype: ScalarType.Float64)).item<double>());
    }

    private static nn.Module<Tensor, Tensor> Create(string name) =>
        (nn.Module<Tensor, Tensor>)Activator.CreateInstance(typeof(ModuleSurgeryTests).GetNestedType(name, BindingFlags.NonPublic)!)!;

    private sealed class AddOne : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter marker = ones(1).AsParameter();

        public AddOne() : base(nameof(AddOne)) => RegisterComponents();

        public override Tensor forward(Tensor input) => input + marker;
    }

    private class WithReadonlyField : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> layer = nn.Linear(1, 1);

        public WithReadonlyField() : base(nameof(WithReadonlyField)) => RegisterComponents();

        public override Tensor forward(Tensor input) => layer.call(input);
    }

    private sealed class WithBaseField : WithReadonlyField;

    private sealed class WithProperty : nn.Module<Tensor, Tensor>
    {
        public WithProperty() : base(nameof(WithProperty)) => RegisterComponents();

        private nn.Module<Tensor, Tensor> Layer { get; } = nn.Linear(1, 1);

        public override Tensor forward(Tensor input) => Layer.call(input);
    }

    private sealed class WithSequential : nn.Module<Tensor, Tensor>
    {
        private readonly Sequential layers = nn.Sequential(nn.Linear(1, 1));

        public WithSequential() : base(nameof(WithSequential)) => RegisterComponents();

        public override Tensor forward(Tensor input) => layers.call(input);
    }

    private sealed class WithModuleList : nn.Module<Tensor, Tensor>
    {
        private readonly ModuleList<nn.Module<Tensor, Tensor>> layers = nn.ModuleList<nn.Module<Tensor, Tensor>>(nn.Linear(1, 1));

        public WithModuleList() : base(nameof(WithModuleList)) => RegisterComponents();

        public override Tensor forward(Tensor input) => layers[0].call(input);
    }

    private sealed class WithModuleDict : nn.Module<Tensor, Tensor>
    {
        private readonly ModuleDict<nn.Module<Tensor, Tensor>> layers = nn.ModuleDict<nn.Module<Tensor, Tensor>>(("a", nn.Linear(1, 1)));

        public WithModuleDict() : base(nameof(WithModuleDict)) => RegisterComponents();

        public override Tensor forward(Tensor input) => layers["a"].call(input) + layers[0].Item2.call(input) - layers["a"].call(input);
    }

    private sealed class WithArray : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor>[] _layers = [nn.Linear(1, 1)];

        public WithArray() : base(nameof(WithArray)) => register_module("layer0", _layers[0]);

        public override Tensor forward(Tensor input) => _layers[0].call(input);
    }

    private sealed class WithPlainList : nn.Module<Tensor, Tensor>
    {
        private readonly List<nn.Module> _layers = [nn.Linear(1, 1)];
        private readonly List<float> _numbers = [1];

        public WithPlainList() : base(nameof(WithPlainList)) => register_module("layer0", _layers[0]);

        public override Tensor forward(Tensor input) => ((nn.Module<Tensor, Tensor>)_layers[0]).call(input) * _numbers[0];
    }

    private sealed class WithPlainDictionary : nn.Module<Tensor, Tensor>
    {
        private readonly Dictionary<string, nn.Module<Tensor, Tensor>> _layers = new() { ["a"] = nn.Linear(1, 1) };
        private readonly Dictionary<string, int> _numbers = new() { ["a"] = 1 };

        public WithPlainDictionary() : base(nameof(WithPlainDictionary)) => register_module("layer0", _layers["a"]);

        public override Tensor forward(Tensor input) => _layers["a"].call(input) * _numbers["a"];
    }

    private sealed class WithAlias : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> layer = nn.Linear(1, 1);
        private readonly nn.Module<Tensor, Tensor> alias;

        public WithAlias() : base(nameof(WithAlias))
        {
            alias = layer;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => alias.call(input);
    }

    private sealed class Unregistered() : nn.Module<Tensor, Tensor>(nameof(Unregistered))
    {
        private readonly nn.Module<Tensor, Tensor> layer = nn.Linear(1, 1);

        public override Tensor forward(Tensor input) => layer.call(input);
    }

    private sealed class WithNarrowField : nn.Module<Tensor, Tensor>
    {
        private readonly Linear layer = nn.Linear(1, 1);

        public WithNarrowField() : base(nameof(WithNarrowField)) => RegisterComponents();

        public override Tensor forward(Tensor input) => layer.call(input);
    }

    private sealed class WithNarrowModuleList : nn.Module<Tensor, Tensor>
    {
        private readonly ModuleList<Linear> layers = nn.ModuleList(nn.Linear(1, 1));

        public WithNarrowModuleList() : base(nameof(WithNarrowModuleList)) => RegisterComponents();

        public override Tensor forward(Tensor input) => layers[0].call(input);
    }

    private sealed class WithNarrowArray : nn.Module<Tensor, Tensor>
    {
        private readonly Linear[] _layers = [nn.Linear(1, 1)];

        public WithNarrowArray() : base(nameof(WithNarrowArray)) => register_module("layer0", _layers[0]);

        public override Tensor forward(Tensor input) => _layers[0].call(input);
    }

    private sealed class WithHiddenHolder : nn.Module<Tensor, Tensor>
    {
        private readonly (nn.Module<Tensor, Tensor> Layer, int Count) _pair = (nn.Linear(1, 1), 1);

        public WithHiddenHolder() : base(nameof(WithHiddenHolder)) => register_module("layer", _pair.Layer);

        public override Tensor forward(Tensor input) => _pair.Layer.call(input);
    }

    private sealed class Block : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> inner = nn.Linear(1, 1);

        public Block() : base(nameof(Block)) => RegisterComponents();

        public override Tensor forward(Tensor input) => inner.call(input);
    }

    private sealed class Nested : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> first = nn.Linear(1, 1);
        private readonly ModuleList<nn.Module<Tensor, Tensor>> blocks = nn.ModuleList<nn.Module<Tensor, Tensor>>(new Block(), new Block());
        private readonly Sequential tail = nn.Sequential(nn.Linear(1, 1)).append("act", nn.ReLU()).append(nn.Linear(1, 1));

        public Nested() : base(nameof(Nested)) => RegisterComponents();

        public ModuleList<nn.Module<Tensor, Tensor>> Blocks => blocks;

        public override Tensor forward(Tensor input) => tail.call(first.call(input));
    }

    private sealed class Sharing : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _one = nn.Linear(1, 1);
        private readonly nn.Module<Tensor, Tensor> _two = new Block();
        private readonly nn.Module<Tensor, Tensor> _three;

        public Sharing() : base(nameof(Sharing))
        {
            _three = _one;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => _three.call(_two.call(_one.call(input)));
    }
}
