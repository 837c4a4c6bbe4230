using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>fc1 … fcN with an activation between them, in fields that surgery can replace.</summary>
internal sealed class Mlp : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "fc1")]
    private readonly nn.Module<Tensor, Tensor> _fc1;

    [ComponentName(Name = "fc2")]
    private readonly nn.Module<Tensor, Tensor> _fc2;

    [ComponentName(Name = "fc3")]
    private readonly nn.Module<Tensor, Tensor> _fc3;

    [ComponentName(Name = "fc4")]
    private readonly nn.Module<Tensor, Tensor>? _fc4;

    private readonly Func<Tensor, Tensor> _activation;

    public Mlp(int[] widths, Func<Tensor, Tensor>? activation = null)
        : base(nameof(Mlp))
    {
        _fc1 = nn.Linear(widths[0], widths[1]);
        _fc2 = nn.Linear(widths[1], widths[2]);
        _fc3 = nn.Linear(widths[2], widths[3]);
        _fc4 = widths.Length > 4 ? nn.Linear(widths[3], widths[4]) : null;
        _activation = activation ?? (tensor => nn.functional.relu(tensor));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var hidden = _activation(_fc2.call(_activation(_fc1.call(x))));
        return _fc4 is null ? _fc3.call(hidden) : _fc4.call(_activation(_fc3.call(hidden)));
    }
}
