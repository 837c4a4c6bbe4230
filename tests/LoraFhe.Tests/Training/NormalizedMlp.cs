using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>An MLP with running statistics between its layers: buffers that a training step changes.</summary>
internal sealed class NormalizedMlp : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "fc1")]
    private readonly nn.Module<Tensor, Tensor> _fc1 = nn.Linear(4, 5);

    [ComponentName(Name = "norm")]
    private readonly nn.Module<Tensor, Tensor> _norm = nn.BatchNorm1d(5);

    [ComponentName(Name = "fc2")]
    private readonly nn.Module<Tensor, Tensor> _fc2 = nn.Linear(5, 2);

    public NormalizedMlp() : base(nameof(NormalizedMlp)) => RegisterComponents();

    public override Tensor forward(Tensor x) => _fc2.call(_norm.call(_fc1.call(x)));
}
