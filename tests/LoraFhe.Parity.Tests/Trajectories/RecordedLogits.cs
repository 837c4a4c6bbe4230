using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>A model whose answer is known: its input.</summary>
internal sealed class RecordedLogits() : nn.Module<Tensor, ModelOutput>(nameof(RecordedLogits))
{
    public override ModelOutput forward(Tensor x) => new() { Logits = x.alias() };
}
