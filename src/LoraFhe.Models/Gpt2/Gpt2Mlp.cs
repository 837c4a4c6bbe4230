using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>The feed-forward part of a layer: proj(act(fc(x))).</summary>
internal sealed class Gpt2Mlp : nn.Module<Tensor, Tensor>
{
    private readonly Func<Tensor, Tensor> _activation;
    private readonly double _dropout;

    [ComponentName(Name = "c_fc")]
    private readonly nn.Module<Tensor, Tensor> _inner;

    [ComponentName(Name = "c_proj")]
    private readonly nn.Module<Tensor, Tensor> _output;

    public Gpt2Mlp(Gpt2Config config)
        : base(nameof(Gpt2Mlp))
    {
        (_activation, _dropout) = (Activation.Of(config.ActivationFunction), config.ResidualDropout);
        _inner = Gpt2Conv1D.Create(config.HiddenSize, config.InnerSize);
        _output = Gpt2Conv1D.Create(config.InnerSize, config.HiddenSize);
        RegisterComponents();
    }

    /// <param name="hidden">Floats [batch, length, hidden size].</param>
    /// <returns>Floats of the same shape.</returns>
    public override Tensor forward(Tensor hidden) =>
        nn.functional.dropout(_output.call(_activation(_inner.call(hidden))), _dropout, training);
}
