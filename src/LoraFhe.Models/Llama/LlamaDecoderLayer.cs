using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>One layer: x + attention(norm(x)), then the same with the feed-forward part.</summary>
internal sealed class LlamaDecoderLayer : nn.Module<Tensor, AttentionContext, Tensor>
{
    [ComponentName(Name = "self_attn")]
    private readonly LlamaAttention _attention;

    [ComponentName(Name = "mlp")]
    private readonly LlamaMlp _mlp;

    [ComponentName(Name = "input_layernorm")]
    private readonly nn.Module<Tensor, Tensor> _inputNorm;

    [ComponentName(Name = "post_attention_layernorm")]
    private readonly nn.Module<Tensor, Tensor> _attentionNorm;

    public LlamaDecoderLayer(LlamaConfig config, int layer)
        : base(nameof(LlamaDecoderLayer))
    {
        _attention = new LlamaAttention(config, layer);
        _mlp = new LlamaMlp(config);
        _inputNorm = new LlamaRmsNorm(config.HiddenSize, config.RmsNormEpsilon);
        _attentionNorm = new LlamaRmsNorm(config.HiddenSize, config.RmsNormEpsilon);
        RegisterComponents();
    }

    /// <param name="hidden">Floats [batch, length, hidden size].</param>
    /// <param name="context">What the pass's layers share.</param>
    /// <returns>Floats of the same shape.</returns>
    public override Tensor forward(Tensor hidden, AttentionContext context)
    {
        var attended = hidden + _attention.call(_inputNorm.call(hidden), context);
        return attended + _mlp.call(_attentionNorm.call(attended));
    }
}
