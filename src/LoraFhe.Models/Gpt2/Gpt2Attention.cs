using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>Attention whose queries, keys and values are one layer's columns: softmax(q·kᵀ·scale + mask)·v.</summary>
internal sealed class Gpt2Attention : nn.Module<Tensor, AttentionContext, Tensor>
{
    private readonly int _layer;
    private readonly int _headCount;
    private readonly double _queryScale;
    private readonly double _attentionDropout;
    private readonly double _residualDropout;

    [ComponentName(Name = "c_attn")]
    private readonly nn.Module<Tensor, Tensor> _queryKeyValue;

    [ComponentName(Name = "c_proj")]
    private readonly nn.Module<Tensor, Tensor> _output;

    public Gpt2Attention(Gpt2Config config, int layer)
        : base(nameof(Gpt2Attention))
    {
        (_layer, _headCount) = (layer, config.HeadCount);
        (_attentionDropout, _residualDropout) = (config.AttentionDropout, config.ResidualDropout);

        // What torch's attention divides by is taken back where it is not wanted.
        var undo = config.ScaleAttentionWeights ? 1 : Math.Sqrt((double)config.HiddenSize / config.HeadCount);
        _queryScale = config.ScaleAttentionByInverseLayerIndex ? undo / (layer + 1) : undo;
        _queryKeyValue = Gpt2Conv1D.Create(config.HiddenSize, 3L * config.HiddenSize);
        _output = Gpt2Conv1D.Create(config.HiddenSize, config.HiddenSize);
        RegisterComponents();
    }

    /// <param name="hidden">Floats [batch, length, hidden size].</param>
    /// <param name="context">What the pass's layers share.</param>
    /// <returns>Floats of the same shape.</returns>
    public override Tensor forward(Tensor hidden, AttentionContext context)
    {
        var parts = _queryKeyValue.call(hidden).chunk(3, dim: -1);
        var (query, key, value) = (SplitHeads(parts[0]), SplitHeads(parts[1]), SplitHeads(parts[2]));
        if (context.Cache is { } cache)
        {
            (key, value) = cache.Append(_layer, key, value);
        }

        var attended = nn.functional.scaled_dot_product_attention(
            _queryScale == 1 ? query : query * _queryScale, key, value, context.Mask, training ? _attentionDropout : 0, context.IsCausal);
        return nn.functional.dropout(_output.call(attended.transpose(1, 2).flatten(2)), _residualDropout, training);
    }

    private Tensor SplitHeads(Tensor rows) => rows.unflatten(2, [_headCount, -1]).transpose(1, 2);
}
