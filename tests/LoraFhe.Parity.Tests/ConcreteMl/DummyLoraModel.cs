using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>The model of the reference's own tests: two linear layers of any width, a parameter <c>lora_a</c>, and a loss if it is given labels.</summary>
/// <remarks>There <c>lora_a</c> takes no part in the output, so nothing is trained and a cut graph is hidden; here it is an adapter beside
/// the first layer, since a cut graph is an error.</remarks>
internal sealed class DummyLoraModel : nn.Module<Tensor, Tensor?, ModelOutput>
{
    [ComponentName(Name = "lora_a")]
    private readonly Parameter _loraA;

    [ComponentName(Name = "linear1")]
    private readonly nn.Module<Tensor, Tensor> _linear1;

    [ComponentName(Name = "linear2")]
    private readonly nn.Module<Tensor, Tensor> _linear2;

    public DummyLoraModel(int width = 10, int hidden = 20)
        : base(nameof(DummyLoraModel))
    {
        _loraA = new Parameter(randn(width, hidden) * 0.1);
        _linear1 = nn.Linear(width, hidden);
        _linear2 = nn.Linear(hidden, width);
        RegisterComponents();
    }

    public Parameter LoraA => _loraA;

    public override ModelOutput forward(Tensor x, Tensor? labels = null)
    {
        var logits = _linear2.call(nn.functional.relu(_linear1.call(x) + x.matmul(_loraA)));
        return labels is null ? new ModelOutput { Logits = logits } : new ModelOutput { Loss = nn.functional.mse_loss(logits, labels) };
    }
}
