using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>A layer that two modules hold is one layer: what takes its place takes it in both.</summary>
public sealed class SharedLayerTests
{
    [Fact]
    public void A_layer_held_by_two_parents_is_replaced_in_both()
    {
        using var scope = NewDisposeScope();
        using var model = new Twice();
        LoraTraining.ReplaceLayersWithCustom(model, 0);

        Assert.IsType<CustomLinear>(model.First.Layer);
        Assert.Same(model.First.Layer, model.Second.Layer);
    }

    [Fact]
    public void A_layer_held_by_two_parents_is_computed_encrypted_in_both()
    {
        using var scope = NewDisposeScope();
        using var model = new Twice();
        var input = HybridData.Normal(1, 3, 16);
        using var hybrid = new HybridFheModel(model, Lora.GetRemoteNames(model));
        Assert.Equal(["first.layer"], hybrid.ModuleNames);
        hybrid.CompileModel<Tensor, Tensor>(input, cancellationToken: TestContext.Current.CancellationToken);

        hybrid.Forward<Tensor, Tensor>(input, HybridFheMode.Execute);

        Assert.Same(model.First.Layer, model.Second.Layer);
        Assert.Equal(2, hybrid.Backend.Traffic.Calls);
    }

    [Fact]
    public void All_places_too_narrow_are_named_before_anything_changes()
    {
        using var scope = NewDisposeScope();
        using var model = new NarrowBlocks();

        var exception = Assert.Throws<NotSupportedException>(() => new HybridFheModel(model, ["first", "second", "third"]));

        Assert.Equal(
            "Layer 'second': 'NarrowBlocks.second' is typed 'Holder', which cannot hold the 'RemoteModule' that replaces it. Type it as 'Module<Tensor, Tensor>'."
            + Environment.NewLine
            + "Layer 'third': 'NarrowBlocks.third' is typed 'Holder', which cannot hold the 'RemoteModule' that replaces it. Type it as 'Module<Tensor, Tensor>'.",
            exception.Message);
        Assert.IsType<TorchSharp.Modules.Linear>(model.named_children().First().module);
    }

    private sealed class Holder : nn.Module<Tensor, Tensor>
    {
        [ComponentName(Name = "layer")]
        private readonly nn.Module<Tensor, Tensor> _layer;

        public Holder(nn.Module<Tensor, Tensor> layer)
            : base(nameof(Holder))
        {
            _layer = layer;
            RegisterComponents();
        }

        public nn.Module<Tensor, Tensor> Layer => _layer;

        public override Tensor forward(Tensor x) => _layer.call(x).tanh();
    }

    private sealed class Twice : nn.Module<Tensor, Tensor>
    {
        [ComponentName(Name = "first")]
        private readonly Holder _first;

        [ComponentName(Name = "second")]
        private readonly Holder _second;

        public Twice()
            : base(nameof(Twice))
        {
            var shared = nn.Linear(16, 16);
            _first = new Holder(shared);
            _second = new Holder(shared);
            RegisterComponents();
        }

        public Holder First => _first;

        public Holder Second => _second;

        public override Tensor forward(Tensor x) => _second.call(_first.call(x));
    }

    private sealed class NarrowBlocks : nn.Module<Tensor, Tensor>
    {
        // The fields' own names: what the message shows.
        private readonly nn.Module<Tensor, Tensor> first = nn.Linear(16, 16);
        private readonly Holder second = new(nn.Linear(16, 16));
        private readonly Holder third = new(nn.Linear(16, 16));

        public NarrowBlocks()
            : base(nameof(NarrowBlocks)) => RegisterComponents();

        public override Tensor forward(Tensor x) => third.call(second.call(first.call(x)));
    }
}
