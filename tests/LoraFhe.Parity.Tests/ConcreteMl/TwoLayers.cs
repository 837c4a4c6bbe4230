using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>Two modules, the second of the first's output, under any names: linear layers unless others are given.</summary>
internal sealed class TwoLayers : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor>[] _layers;

    public TwoLayers(string firstName = "linear1", string secondName = "linear2", nn.Module<Tensor, Tensor>? first = null)
        : base(nameof(TwoLayers))
    {
        _layers = [first ?? nn.Linear(10, 10), nn.Linear(10, 10)];
        register_module(firstName, _layers[0]);
        register_module(secondName, _layers[1]);
    }

    public nn.Module First => _layers[0];

    public nn.Module Second => _layers[1];

    public override Tensor forward(Tensor x) => _layers[1].call(_layers[0].call(x));
}
