using System.Collections.Frozen;
using System.Collections.Immutable;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <content>Collections that nothing can be put into, and a field that was set anew after its module was registered.</content>
internal static partial class TypedModels
{
    public sealed class CollectionExpression : TypedModel
    {
        // The compiler makes a read-only list of its own.
        private readonly IReadOnlyList<nn.Module<Tensor, Tensor>> layers = [Layer(), Layer()];

        public CollectionExpression() => RegisterAll(this, layers);

        protected override Tensor First(Tensor input) => layers[0].call(input);

        protected override Tensor Second(Tensor input) => layers[1].call(input);
    }

    public sealed class ImmutableLists : TypedModel
    {
        private readonly ImmutableList<nn.Module<Tensor, Tensor>> layers = [Layer(), Layer()];

        public ImmutableLists() => RegisterAll(this, layers);

        protected override Tensor First(Tensor input) => layers[0].call(input);

        protected override Tensor Second(Tensor input) => layers[1].call(input);
    }

    public sealed class FrozenDictionaries : TypedModel
    {
        private readonly FrozenDictionary<string, nn.Module<Tensor, Tensor>> layers =
            new Dictionary<string, nn.Module<Tensor, Tensor>> { ["a"] = Layer(), ["b"] = Layer() }.ToFrozenDictionary();

        public FrozenDictionaries() => RegisterAll(this, layers.Values);

        protected override Tensor First(Tensor input) => layers["a"].call(input);

        protected override Tensor Second(Tensor input) => layers["b"].call(input);
    }

    public sealed class ReadOnlyListAndField : TypedModel
    {
        private readonly nn.Module<Tensor, Tensor> layer = Layer();
        private readonly IReadOnlyList<nn.Module<Tensor, Tensor>> layers;

        public ReadOnlyListAndField()
        {
            layers = [layer];
            RegisterComponents();
        }

        protected override Tensor First(Tensor input) => layer.call(input);

        protected override Tensor Second(Tensor input) => layers[0].call(input);
    }

    public sealed class Grid : TypedModel
    {
        private readonly Linear[,] layers = { { Layer(), Layer() } };
        private readonly string[,] names = { { "first", "second" } };

        public Grid()
        {
            register_module(names[0, 0], layers[0, 0]);
            register_module(names[0, 1], layers[0, 1]);
        }

        protected override Tensor First(Tensor input) => layers[0, 0].call(input);

        protected override Tensor Second(Tensor input) => layers[0, 1].call(input);
    }

    public class SetOnce : TypedModel
    {
        protected Linear first = Layer();
        protected nn.Module<Tensor, Tensor> second = Layer();

        public SetOnce() => RegisterComponents();

        protected override Tensor First(Tensor input) => first.call(input);

        protected override Tensor Second(Tensor input) => second.call(input);
    }

    /// <summary>TorchSharp goes on listing what the base class registered: https://github.com/dotnet/TorchSharp/issues/1485.</summary>
    public sealed class SetAnew : SetOnce
    {
        public SetAnew()
        {
            (first, second) = (Layer(), Layer());
            RegisterComponents();
        }
    }
}
