using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>Models with typed fields, and modules to put in their layers' place.</summary>
internal static class HookedModels
{
    public enum Failure
    {
        None,
        Before,
        After,
    }

    public sealed class Mlp : nn.Module<Tensor, Tensor>
    {
        public readonly Linear fc1 = nn.Linear(4, 4);
        public readonly Linear fc2 = nn.Linear(4, 4);

        public Mlp() : base(nameof(Mlp)) => RegisterComponents();

        public override Tensor forward(Tensor input) => fc2.call(fc1.call(input).tanh());
    }

    public sealed class Sharing : nn.Module<Tensor, Tensor>
    {
        private readonly Linear shared;

        public Sharing(Linear layer) : base(nameof(Sharing))
        {
            shared = layer;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => shared.call(input);
    }

    public sealed class Embedded : nn.Module<Tensor, Tensor>
    {
        public readonly Embedding wte = nn.Embedding(5, 4, max_norm: 0.5);
        private readonly nn.Module<Tensor, Tensor> _alias;

        public Embedded() : base(nameof(Embedded))
        {
            _alias = wte;
            RegisterComponents();
        }

        public Tensor Alias(Tensor ids) => _alias.call(ids);

        public override Tensor forward(Tensor ids) => wte.call(ids);
    }

    public sealed class Doubled : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> inner;

        public Doubled(nn.Module<Tensor, Tensor> layer) : base(nameof(Doubled))
        {
            inner = layer;
            RegisterComponents();
        }

        public int Calls { get; private set; }

        public Failure Fails { get; set; }

        public override Tensor forward(Tensor input)
        {
            Calls++;
            if (Fails == Failure.Before)
            {
                throw new TimeoutException();
            }

            using var output = inner.call(input);
            return Fails == Failure.After ? throw new TimeoutException() : output * 2;
        }
    }

    public sealed class Tripled(Func<Tensor, Tensor> product) : nn.Module<Tensor, Tensor>(nameof(Tripled))
    {
        public override Tensor forward(Tensor input) => product(input) * 3;
    }
}
