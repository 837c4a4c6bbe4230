using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>The reference's first tutorial model: linear layers fc1, fc2, … with ReLU between them. Its fields can take adapters.</summary>
internal sealed class SimpleMlp : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "fc1")]
    private readonly nn.Module<Tensor, Tensor> _fc1;

    [ComponentName(Name = "fc2")]
    private readonly nn.Module<Tensor, Tensor> _fc2;

    [ComponentName(Name = "fc3")]
    private readonly nn.Module<Tensor, Tensor> _fc3;

    [ComponentName(Name = "fc4")]
    private readonly nn.Module<Tensor, Tensor> _fc4;

    public SimpleMlp(int inputs = 32, int hidden = 64, int outputs = 10) : base(nameof(SimpleMlp))
    {
        _fc1 = nn.Linear(inputs, hidden);
        _fc2 = nn.Linear(hidden, hidden);
        _fc3 = nn.Linear(hidden, hidden);
        _fc4 = nn.Linear(hidden, outputs);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = nn.functional.relu(_fc1.call(x));
        x = nn.functional.relu(_fc2.call(x));
        x = nn.functional.relu(_fc3.call(x));
        return _fc4.call(x).MoveToOuterDisposeScope();
    }
}
