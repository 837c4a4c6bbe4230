using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Samples.OwnBackend;

/// <summary>Two linear layers, fc1 and fc2.</summary>
internal sealed class Mlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear fc1 = nn.Linear(2, 64), fc2 = nn.Linear(64, 2);

    public Mlp() : base(nameof(Mlp)) => RegisterComponents();

    public override Tensor forward(Tensor x) => fc2.call(nn.functional.relu(fc1.call(x)));
}
