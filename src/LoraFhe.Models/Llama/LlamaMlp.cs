using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>The gated feed-forward part of a layer: down(act(gate(x)) · up(x)).</summary>
internal sealed class LlamaMlp : nn.Module<Tensor, Tensor>
{
    private readonly Func<Tensor, Tensor> _activation;

    [ComponentName(Name = "gate_proj")]
    private readonly nn.Module<Tensor, Tensor> _gate;

    [ComponentName(Name = "up_proj")]
    private readonly nn.Module<Tensor, Tensor> _up;

    [ComponentName(Name = "down_proj")]
    private readonly nn.Module<Tensor, Tensor> _down;

    public LlamaMlp(LlamaConfig config)
        : base(nameof(LlamaMlp))
    {
        _activation = Activation.Of(config.HiddenActivation);
        _gate = BareLinear.Create(config.HiddenSize, config.IntermediateSize, config.MlpBias);
        _up = BareLinear.Create(config.HiddenSize, config.IntermediateSize, config.MlpBias);
        _down = BareLinear.Create(config.IntermediateSize, config.HiddenSize, config.MlpBias);
        RegisterComponents();
    }

    /// <param name="hidden">Floats [batch, length, hidden size].</param>
    /// <returns>Floats of the same shape.</returns>
    public override Tensor forward(Tensor hidden) => _down.call(_activation(_gate.call(hidden)) * _up.call(hidden));
}
