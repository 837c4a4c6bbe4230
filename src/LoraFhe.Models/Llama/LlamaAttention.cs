using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>Grouped-query attention with rotary positions: softmax(q·kᵀ/√d + mask)·v, each key and value head serving a group of query
/// heads.</summary>
internal sealed class LlamaAttention : nn.Module<Tensor, AttentionContext, Tensor>
{
    private readonly int _layer;
    private readonly int _headDim;
    private readonly int _group;
    private readonly double _dropout;

    [ComponentName(Name = "q_proj")]
    private readonly nn.Module<Tensor, Tensor> _query;

    [ComponentName(Name = "k_proj")]
    private readonly nn.Module<Tensor, Tensor> _key;

    [ComponentName(Name = "v_proj")]
    private readonly nn.Module<Tensor, Tensor> _value;

    [ComponentName(Name = "o_proj")]
    private readonly nn.Module<Tensor, Tensor> _output;

    public LlamaAttention(LlamaConfig config, int layer)
        : base(nameof(LlamaAttention))
    {
        (_layer, _headDim, _dropout) = (layer, config.HeadDim, config.AttentionDropout);
        _group = config.HeadCount / config.KeyValueHeadCount;
        var queries = (long)config.HeadCount * config.HeadDim;
        var keys = (long)config.KeyValueHeadCount * config.HeadDim;
        _query = BareLinear.Create(config.HiddenSize, queries, config.AttentionBias);
        _key = BareLinear.Create(config.HiddenSize, keys, config.AttentionBias);
        _value = BareLinear.Create(config.HiddenSize, keys, config.AttentionBias);
        _output = BareLinear.Create(queries, config.HiddenSize, config.AttentionBias);
        RegisterComponents();
    }

    /// <param name="hidden">Floats [batch, length, hidden size].</param>
    /// <param name="context">What the pass's layers share.</param>
    /// <returns>Floats of the same shape.</returns>
    public override Tensor forward(Tensor hidden, AttentionContext context)
    {
        var query = context.Rotation!.Apply(SplitHeads(_query.call(hidden)));
        var key = context.Rotation.Apply(SplitHeads(_key.call(hidden)));
        var value = SplitHeads(_value.call(hidden));
        if (context.Cache is { } cache)
        {
            (key, value) = cache.Append(_layer, key, value);
        }

        var attended = nn.functional.scaled_dot_product_attention(
            query, ForEachQuery(key), ForEachQuery(value), context.Mask, training ? _dropout : 0, context.IsCausal);
        return _output.call(attended.transpose(1, 2).flatten(2));
    }

    private Tensor SplitHeads(Tensor rows) => rows.unflatten(2, [-1, _headDim]).transpose(1, 2);

    private Tensor ForEachQuery(Tensor heads) =>
        _group == 1 ? heads : heads.unsqueeze(2).expand(-1, -1, _group, -1, -1).flatten(1, 2);
}
