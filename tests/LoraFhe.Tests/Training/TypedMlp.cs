using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>An ordinary module: its fields are typed <c>Linear</c>, so that hooks serve its layers.</summary>
internal sealed class TypedMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear fc1 = nn.Linear(6, 12), fc2 = nn.Linear(12, 10), fc3 = nn.Linear(10, 3);

    public TypedMlp() : base(nameof(TypedMlp)) => RegisterComponents();

    public override Tensor forward(Tensor x) => fc3.call(fc2.call(fc1.call(x).tanh()).tanh());
}
