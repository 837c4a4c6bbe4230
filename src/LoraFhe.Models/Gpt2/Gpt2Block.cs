using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>One layer: x + attention(norm(x)), then the same with the feed-forward part.</summary>
internal sealed class Gpt2Block : nn.Module<Tensor, AttentionContext, Tensor>
{
    [ComponentName(Name = "ln_1")]
    private readonly nn.Module<Tensor, Tensor> _attentionNorm;

    [ComponentName(Name = "attn")]
    private readonly Gpt2Attention _attention;

    [ComponentName(Name = "ln_2")]
    private readonly nn.Module<Tensor, Tensor> _mlpNorm;

    [ComponentName(Name = "mlp")]
    private readonly Gpt2Mlp _mlp;

    public Gpt2Block(Gpt2Config config, int layer)
        : base(nameof(Gpt2Block))
    {
        _attentionNorm = nn.LayerNorm(config.HiddenSize, config.LayerNormEpsilon);
        _attention = new Gpt2Attention(config, layer);
        _mlpNorm = nn.LayerNorm(config.HiddenSize, config.LayerNormEpsilon);
        _mlp = new Gpt2Mlp(config);
        RegisterComponents();
    }

    /// <param name="hidden">Floats [batch, length, hidden size].</param>
    /// <param name="context">What the pass's layers share.</param>
    /// <returns>Floats of the same shape.</returns>
    public override Tensor forward(Tensor hidden, AttentionContext context)
    {
        var attended = hidden + _attention.call(_attentionNorm.call(hidden), context);
        return attended + _mlp.call(_mlpNorm.call(attended));
    }
}
