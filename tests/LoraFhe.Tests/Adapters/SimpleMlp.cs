using static TorchSharp.torch;

namespace LoraFhe.Tests;

/// <summary>The reference's first tutorial model: linear layers fc1, fc2, … with ReLU between them. Its fields can take adapters.</summary>
internal sealed class SimpleMlp : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> fc1;
    private readonly nn.Module<Tensor, Tensor> fc2;
    private readonly nn.Module<Tensor, Tensor> fc3;
    private readonly nn.Module<Tensor, Tensor> fc4;

    public SimpleMlp(int inputs = 32, int hidden = 64, int outputs = 10) : base(nameof(SimpleMlp))
    {
        fc1 = nn.Linear(inputs, hidden);
        fc2 = nn.Linear(hidden, hidden);
        fc3 = nn.Linear(hidden, hidden);
        fc4 = nn.Linear(hidden, outputs);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = nn.functional.relu(fc1.call(x));
        x = nn.functional.relu(fc2.call(x));
        x = nn.functional.relu(fc3.call(x));
        return fc4.call(x).MoveToOuterDisposeScope();
    }
}
