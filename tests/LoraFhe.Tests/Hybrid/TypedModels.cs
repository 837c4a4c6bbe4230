using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>Models of two layers, four wide, each held in a way that can hold nothing but what it holds, as users write them.</summary>
internal static partial class TypedModels
{
    public const int Width = 4;

    public static nn.Module<Tensor, Tensor> Create(string name)
    {
        var model = (nn.Module<Tensor, Tensor>)Activator.CreateInstance(typeof(TypedModels).GetNestedType(name)!)!;
        Assert.NotEmpty(ModuleSurgery.Descendants(model));
        return model;
    }

    private static Linear Layer() => nn.Linear(Width, Width);

    public abstract class TypedModel() : nn.Module<Tensor, Tensor>(nameof(TypedModel))
    {
        public override Tensor forward(Tensor input) => Second(First(input).tanh());

        protected abstract Tensor First(Tensor input);

        protected abstract Tensor Second(Tensor input);
    }

    public class ReadonlyFields : TypedModel
    {
        private readonly Linear fc1 = Layer();
        private readonly Linear fc2 = Layer();

        public ReadonlyFields() => RegisterComponents();

        protected override Tensor First(Tensor input) => fc1.call(input);

        protected override Tensor Second(Tensor input) => fc2.call(input);
    }

    public sealed class BaseFields : ReadonlyFields;

    public sealed class Unregistered : TypedModel
    {
        private readonly Linear fc1 = Layer();
        private readonly Linear fc2 = Layer();

        protected override Tensor First(Tensor input) => fc1.call(input);

        protected override Tensor Second(Tensor input) => fc2.call(input);
    }

    public sealed class Properties : TypedModel
    {
        public Properties() => RegisterComponents();

        public Linear Fc1 { get; } = Layer();

        public Linear Fc2 { get; set; } = Layer();

        protected override Tensor First(Tensor input) => Fc1.call(input);

        protected override Tensor Second(Tensor input) => Fc2.call(input);
    }

    public sealed class CapturedParameters(Linear first, Linear second) : TypedModel
    {
        public CapturedParameters() : this(Layer(), Layer()) => RegisterComponents();

        protected override Tensor First(Tensor input) => first.call(input);

        protected override Tensor Second(Tensor input) => second.call(input);
    }

    public sealed class TypedModuleList : TypedModel
    {
        private readonly ModuleList<Linear> layers = nn.ModuleList(Layer(), Layer());

        public TypedModuleList() => RegisterComponents();

        protected override Tensor First(Tensor input) => layers[0].call(input);

        protected override Tensor Second(Tensor input) => layers[1].call(input);
    }

    public sealed class Layers() : ModuleList<Linear>(Layer(), Layer());

    public sealed class SubclassedModuleList : TypedModel
    {
        private readonly Layers layers = new();

        public SubclassedModuleList() => RegisterComponents();

        protected override Tensor First(Tensor input) => layers.First().call(input);

        protected override Tensor Second(Tensor input) => layers.Last().call(input);
    }

    public sealed class NestedModuleLists : TypedModel
    {
        private readonly ModuleList<ModuleList<Linear>> layers = nn.ModuleList(nn.ModuleList(Layer()), nn.ModuleList(Layer()));

        public NestedModuleLists() => RegisterComponents();

        protected override Tensor First(Tensor input) => layers[0][0].call(input);

        protected override Tensor Second(Tensor input) => layers[1][0].call(input);
    }

    public sealed class TypedModuleDict : TypedModel
    {
        private readonly ModuleDict<Linear> layers = nn.ModuleDict(("a", Layer()), ("b", Layer()));

        public TypedModuleDict() => RegisterComponents();

        protected override Tensor First(Tensor input) => layers["a"].call(input);

        protected override Tensor Second(Tensor input) => layers[1].Item2.call(input);
    }

    public sealed class TypedArray : TypedModel
    {
        private readonly Linear[] layers = [Layer(), Layer()];

        public TypedArray() => RegisterAll(this, layers);

        protected override Tensor First(Tensor input) => layers[0].call(input);

        protected override Tensor Second(Tensor input) => layers[1].call(input);
    }

    public sealed class TypedList : TypedModel
    {
        private readonly List<Linear> layers = [Layer(), Layer()];

        public TypedList() => RegisterAll(this, layers);

        protected override Tensor First(Tensor input) => layers[0].call(input);

        protected override Tensor Second(Tensor input) => layers[1].call(input);
    }

    public sealed class TypedDictionary : TypedModel
    {
        private readonly Dictionary<string, Linear> layers = new() { ["a"] = Layer(), ["b"] = Layer() };

        public TypedDictionary() => RegisterAll(this, layers.Values);

        protected override Tensor First(Tensor input) => layers["a"].call(input);

        protected override Tensor Second(Tensor input) => layers["b"].call(input);
    }

    public sealed class ListOfLists : TypedModel
    {
        private readonly List<List<Linear>> layers = [[Layer()], [Layer()]];

        public ListOfLists() => RegisterAll(this, layers.SelectMany(list => list));

        protected override Tensor First(Tensor input) => layers[0][0].call(input);

        protected override Tensor Second(Tensor input) => layers[1][0].call(input);
    }

    public sealed class Tuples : TypedModel
    {
        private readonly (Linear First, Linear Second) layers = (Layer(), Layer());

        public Tuples() => RegisterAll(this, [layers.First, layers.Second]);

        protected override Tensor First(Tensor input) => layers.First.call(input);

        protected override Tensor Second(Tensor input) => layers.Second.call(input);
    }

    public sealed class Objects : TypedModel
    {
        private readonly object fc1 = Layer();
        private readonly object fc2 = Layer();

        public Objects() => RegisterComponents();

        protected override Tensor First(Tensor input) => ((nn.Module<Tensor, Tensor>)fc1).call(input);

        protected override Tensor Second(Tensor input) => ((nn.IModule<Tensor, Tensor>)fc2).call(input);
    }

    public sealed class Delegates : TypedModel
    {
        private readonly List<Func<Tensor, Tensor>> steps = [];

        public Delegates()
        {
            var (first, second) = (Layer(), Layer());
            steps.AddRange([first.call, second.call]);
            RegisterAll(this, [first, second]);
        }

        protected override Tensor First(Tensor input) => steps[0](input);

        protected override Tensor Second(Tensor input) => steps[1](input);
    }

    public sealed class TypedConv1D : TypedModel
    {
        private readonly Conv1D c_attn = new(Width, Width);
        private readonly Conv1D c_proj = new(Width, Width, hasBias: false);

        public TypedConv1D() => RegisterComponents();

        protected override Tensor First(Tensor input) => c_attn.call(input);

        protected override Tensor Second(Tensor input) => c_proj.call(input);
    }

    /// <summary>One layer in a field typed as itself and in one typed as any.</summary>
    public sealed class TypedAndNot : TypedModel
    {
        private readonly Linear fc1 = Layer();
        private readonly nn.Module<Tensor, Tensor> alias;

        public TypedAndNot()
        {
            alias = fc1;
            RegisterComponents();
        }

        protected override Tensor First(Tensor input) => fc1.call(input);

        protected override Tensor Second(Tensor input) => alias.call(input);
    }

    public sealed class TwoParents : TypedModel
    {
        private readonly Holder one;
        private readonly Holder two;

        public TwoParents()
        {
            var shared = Layer();
            (one, two) = (new Holder(shared), new Holder(shared));
            RegisterComponents();
        }

        protected override Tensor First(Tensor input) => one.call(one.call(input));

        protected override Tensor Second(Tensor input) => two.call(input);
    }

    public sealed class Holder : nn.Module<Tensor, Tensor>
    {
        private readonly Linear held;

        public Holder(Linear layer) : base(nameof(Holder))
        {
            held = layer;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => held.call(input).sin();
    }

    public sealed class TypedInSequential : TypedModel
    {
        private readonly Sequential body = nn.Sequential(new Holder(Layer()), nn.ReLU(), Layer());
        private readonly Linear head = Layer();

        public TypedInSequential() => RegisterComponents();

        protected override Tensor First(Tensor input) => body.call(input);

        protected override Tensor Second(Tensor input) => head.call(input);
    }

    public sealed class SequentialRoot() : Sequential(Layer(), nn.Tanh(), new Holder(Layer()));

    public sealed class NamedComponents : TypedModel
    {
        [ComponentName(Name = "c_fc")]
        private readonly Linear _first = Layer();

        [ComponentName(Name = "c_proj")]
        private readonly Linear _second = Layer();

        public NamedComponents() => RegisterComponents();

        protected override Tensor First(Tensor input) => _first.call(input);

        protected override Tensor Second(Tensor input) => _second.call(input);
    }

    private static void RegisterAll(nn.Module owner, IEnumerable<nn.Module> layers)
    {
        foreach (var (index, layer) in layers.Index())
        {
            owner.register_module($"layer{index}", layer);
        }
    }
}
