using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>Modules that hold a layer in each way that surgery knows, and in some that it refuses.</summary>
internal static class HoldingModels
{
    public sealed class AddOne : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter _marker = ones(1).AsParameter();

        public AddOne() : base(nameof(AddOne)) => RegisterComponents();

        public override Tensor forward(Tensor input) => input + _marker;
    }

    public class WithReadonlyField : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _layer = nn.Linear(1, 1);

        public WithReadonlyField() : base(nameof(WithReadonlyField)) => RegisterComponents();

        public override Tensor forward(Tensor input) => _layer.call(input);
    }

    public sealed class WithBaseField : WithReadonlyField;

    public sealed class WithProperty : nn.Module<Tensor, Tensor>
    {
        public WithProperty() : base(nameof(WithProperty)) => RegisterComponents();

        private nn.Module<Tensor, Tensor> Layer { get; } = nn.Linear(1, 1);

        public override Tensor forward(Tensor input) => Layer.call(input);
    }

    public sealed class WithSequential : nn.Module<Tensor, Tensor>
    {
        private readonly Sequential _layers = nn.Sequential(nn.Linear(1, 1));

        public WithSequential() : base(nameof(WithSequential)) => RegisterComponents();

        public override Tensor forward(Tensor input) => _layers.call(input);
    }

    public sealed class WithModuleList : nn.Module<Tensor, Tensor>
    {
        private readonly ModuleList<nn.Module<Tensor, Tensor>> _layers = nn.ModuleList<nn.Module<Tensor, Tensor>>(nn.Linear(1, 1));

        public WithModuleList() : base(nameof(WithModuleList)) => RegisterComponents();

        public override Tensor forward(Tensor input) => _layers[0].call(input);
    }

    public sealed class WithModuleDict : nn.Module<Tensor, Tensor>
    {
        private readonly ModuleDict<nn.Module<Tensor, Tensor>> _layers = nn.ModuleDict<nn.Module<Tensor, Tensor>>(("a", nn.Linear(1, 1)));

        public WithModuleDict() : base(nameof(WithModuleDict)) => RegisterComponents();

        public override Tensor forward(Tensor input) => _layers["a"].call(input) + _layers[0].Item2.call(input) - _layers["a"].call(input);
    }

    public sealed class WithArray : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor>[] _layers = [nn.Linear(1, 1)];

        public WithArray() : base(nameof(WithArray)) => register_module("layer0", _layers[0]);

        public override Tensor forward(Tensor input) => _layers[0].call(input);
    }

    public sealed class WithPlainList : nn.Module<Tensor, Tensor>
    {
        private readonly List<nn.Module> _layers = [nn.Linear(1, 1)];
        private readonly List<float> _numbers = [1];

        public WithPlainList() : base(nameof(WithPlainList)) => register_module("layer0", _layers[0]);

        public override Tensor forward(Tensor input) => ((nn.Module<Tensor, Tensor>)_layers[0]).call(input) * _numbers[0];
    }

    public sealed class WithPlainDictionary : nn.Module<Tensor, Tensor>
    {
        private readonly Dictionary<string, nn.Module<Tensor, Tensor>> _layers = new() { ["a"] = nn.Linear(1, 1) };
        private readonly Dictionary<string, int> _numbers = new() { ["a"] = 1 };

        public WithPlainDictionary() : base(nameof(WithPlainDictionary)) => register_module("layer0", _layers["a"]);

        public override Tensor forward(Tensor input) => _layers["a"].call(input) * _numbers["a"];
    }

    public sealed class WithAlias : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _layer = nn.Linear(1, 1);
        private readonly nn.Module<Tensor, Tensor> _alias;

        public WithAlias() : base(nameof(WithAlias))
        {
            _alias = _layer;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => _alias.call(input);
    }

    public sealed class Unregistered() : nn.Module<Tensor, Tensor>(nameof(Unregistered))
    {
        private readonly nn.Module<Tensor, Tensor> _layer = nn.Linear(1, 1);

        public override Tensor forward(Tensor input) => _layer.call(input);
    }

    public sealed class WithNarrowField : nn.Module<Tensor, Tensor>
    {
        private readonly Linear _layer = nn.Linear(1, 1);

        public WithNarrowField() : base(nameof(WithNarrowField)) => RegisterComponents();

        public override Tensor forward(Tensor input) => _layer.call(input);
    }

    public sealed class WithNarrowModuleList : nn.Module<Tensor, Tensor>
    {
        private readonly ModuleList<Linear> _layers = nn.ModuleList(nn.Linear(1, 1));

        public WithNarrowModuleList() : base(nameof(WithNarrowModuleList)) => RegisterComponents();

        public override Tensor forward(Tensor input) => _layers[0].call(input);
    }

    public sealed class WithNarrowArray : nn.Module<Tensor, Tensor>
    {
        private readonly Linear[] _layers = [nn.Linear(1, 1)];

        public WithNarrowArray() : base(nameof(WithNarrowArray)) => register_module("layer0", _layers[0]);

        public override Tensor forward(Tensor input) => _layers[0].call(input);
    }

    public sealed class WithTuple : nn.Module<Tensor, Tensor>
    {
        private readonly (Linear Layer, int Count) _pair = (nn.Linear(1, 1), 1);

        public WithTuple() : base(nameof(WithTuple)) => register_module("layer", _pair.Layer);

        public override Tensor forward(Tensor input) => _pair.Layer.call(input) * _pair.Count;
    }

    public sealed class WithBlockField : nn.Module<Tensor, Tensor>
    {
        private readonly Block _block = new();

        public WithBlockField() : base(nameof(WithBlockField)) => RegisterComponents();

        public override Tensor forward(Tensor input) => _block.call(input);
    }

    public sealed class WithBlockList : nn.Module<Tensor, Tensor>
    {
        private readonly ModuleList<Block> _blocks = nn.ModuleList(new Block());

        public WithBlockList() : base(nameof(WithBlockList)) => RegisterComponents();

        public override Tensor forward(Tensor input) => _blocks[0].call(input);
    }

    public sealed class WithBlockArray : nn.Module<Tensor, Tensor>
    {
        private readonly Block[] _blocks = [new()];

        public WithBlockArray() : base(nameof(WithBlockArray)) => register_module("layer0", _blocks[0]);

        public override Tensor forward(Tensor input) => _blocks[0].call(input);
    }

    public sealed class WithBlockReadOnly : nn.Module<Tensor, Tensor>
    {
        private readonly IReadOnlyList<nn.Module<Tensor, Tensor>> _blocks = [new Block()];

        public WithBlockReadOnly() : base(nameof(WithBlockReadOnly)) => register_module("layer0", _blocks[0]);

        public override Tensor forward(Tensor input) => _blocks[0].call(input);
    }

    public sealed class WithBlockInTuple : nn.Module<Tensor, Tensor>
    {
        private readonly (nn.Module<Tensor, Tensor> Block, int Count) _pair = (new Block(), 1);

        public WithBlockInTuple() : base(nameof(WithBlockInTuple)) => register_module("layer", _pair.Block);

        public override Tensor forward(Tensor input) => _pair.Block.call(input) * _pair.Count;
    }

    public sealed class Block : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _inner = nn.Linear(1, 1);

        public Block() : base(nameof(Block)) => RegisterComponents();

        public override Tensor forward(Tensor input) => _inner.call(input);
    }

    public sealed class Nested : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _first = nn.Linear(1, 1);
        private readonly ModuleList<nn.Module<Tensor, Tensor>> _blocks = nn.ModuleList<nn.Module<Tensor, Tensor>>(new Block(), new Block());
        private readonly Sequential _tail = nn.Sequential(nn.Linear(1, 1)).append("act", nn.ReLU()).append(nn.Linear(1, 1));

        public Nested() : base(nameof(Nested)) => RegisterComponents();

        public ModuleList<nn.Module<Tensor, Tensor>> Blocks => _blocks;

        public override Tensor forward(Tensor input) => _tail.call(_first.call(input));
    }

    public sealed class Sharing : nn.Module<Tensor, Tensor>
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
