using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>The decoder without its head: embedding, layers, final norm.</summary>
internal sealed class LlamaModel : nn.Module<Tensor, Tensor?, Tensor?, KeyValueCache?, Tensor>
{
    private readonly RotaryTable _rotary;

    // Typed so that an adapter, or a copy that is trained whole, can take their places.
    [ComponentName(Name = "embed_tokens")]
    private readonly nn.Module<Tensor, Tensor> _embedding;

    [ComponentName(Name = "layers")]
    private readonly ModuleList<LlamaDecoderLayer> _layers;

    [ComponentName(Name = "norm")]
    private readonly nn.Module<Tensor, Tensor> _norm;

    public LlamaModel(LlamaConfig config)
        : base(nameof(LlamaModel))
    {
        _rotary = new RotaryTable(config);
        _embedding = nn.Embedding(config.VocabularySize, config.HiddenSize);
        var layers = Enumerable.Range(0, config.LayerCount).Select(i => new LlamaDecoderLayer(config, i));
        _layers = new ModuleList<LlamaDecoderLayer>([.. layers]);
        _norm = new LlamaRmsNorm(config.HiddenSize, config.RmsNormEpsilon);
        RegisterComponents();
        EmbeddingWeight = _embedding.named_parameters(recurse: false).Single().parameter;
    }

    /// <summary>The embedding's registered parameter; <see cref="Embedding.weight"/> would give a new handle at each call.</summary>
    public Parameter EmbeddingWeight { get; }

    /// <param name="inputIds">Int64 [batch, length].</param>
    /// <param name="attentionMask">[batch, tokens in the cache + length], 0 on padding; null where there is none.</param>
    /// <param name="positions">Int64 [batch, length]; null: the tokens follow those in the cache.</param>
    /// <param name="cache">Keys and values of the tokens before, to which these are added; null where the pass is the whole text.</param>
    /// <returns>Floats [batch, length, hidden size].</returns>
    public override Tensor forward(Tensor inputIds, Tensor? attentionMask, Tensor? positions, KeyValueCache? cache)
    {
        var hidden = _embedding.call(inputIds);
        var past = cache?.Length ?? 0;
        var length = inputIds.shape[1];
        var mask = AttentionMask.Build(attentionMask, length, past, inputIds.device);
        var (cosines, sines) = positions is null
            ? _rotary.Rows(past, length, hidden.dtype, hidden.device)
            : _rotary.Rows(positions, hidden.dtype, hidden.device);
        var context = new AttentionContext(cosines, sines, mask, IsCausal: mask is null && length > 1, cache);
        foreach (var layer in _layers)
        {
            hidden = Run(layer, hidden, context);
        }

        cache?.Advance(length);
        return _norm.call(hidden);
    }

    // Without gradients nothing needs a layer's intermediate values once it is done; with them the graph holds most of them anyway.
    private static Tensor Run(LlamaDecoderLayer layer, Tensor hidden, AttentionContext context)
    {
        if (is_grad_enabled())
        {
            return layer.call(hidden, context);
        }

        using var scope = NewDisposeScope();
        return layer.call(hidden, context).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _rotary.Dispose();
        }

        base.Dispose(disposing);
    }
}
