using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Samples.LoraMlp;

/// <summary>An ordinary TorchSharp module that knows nothing of adapters or encryption.</summary>
internal sealed class SimpleMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear fc1 = nn.Linear(2, 128), fc2 = nn.Linear(128, 2);

    public SimpleMlp() : base(nameof(SimpleMlp)) => RegisterComponents();

    public override Tensor forward(Tensor x) => fc2.call(nn.functional.relu(fc1.call(x)));
}
