using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>fc1 … fcN with an activation between them, in fields that surgery can replace.</summary>
internal sealed class Mlp : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> fc1;
    private readonly nn.Module<Tensor, Tensor> fc2;
    private readonly nn.Module<Tensor, Tensor> fc3;
    private readonly nn.Module<Tensor, Tensor>? fc4;
    private readonly Func<Tensor, Tensor> _activation;

    public Mlp(int[] widths, Func<Tensor, Tensor>? activation = null)
        : base(nameof(Mlp))
    {
        fc1 = nn.Linear(widths[0], widths[1]);
        fc2 = nn.Linear(widths[1], widths[2]);
        fc3 = nn.Linear(widths[2], widths[3]);
        fc4 = widths.Length > 4 ? nn.Linear(widths[3], widths[4]) : null;
        _activation = activation ?? (tensor => nn.functional.relu(tensor));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var hidden = _activation(fc2.call(_activation(fc1.call(x))));
        return fc4 is null ? fc3.call(hidden) : fc4.call(_activation(fc3.call(hidden)));
    }
}
