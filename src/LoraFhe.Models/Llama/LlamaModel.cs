using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>A Llama without its head: embedding, layers, root mean square norm; positions turn queries and keys.</summary>
internal sealed class LlamaModel : Decoder
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
        _embedding = nn.Embedding(config.VocabularySize, config.HiddenSize, config.PaddingRow);
        var layers = Enumerable.Range(0, config.LayerCount).Select(i => new LlamaDecoderLayer(config, i));
        _layers = new ModuleList<LlamaDecoderLayer>([.. layers]);
        _norm = new LlamaRmsNorm(config.HiddenSize, config.RmsNormEpsilon);
        RegisterComponents();
        EmbeddingWeight = _embedding.named_parameters(recurse: false).Single().parameter;
        CachedHeads = (config.KeyValueHeadCount, config.HeadDim);
    }

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight { get; }

    /// <inheritdoc/>
    public override int? PositionCount => null;

    /// <inheritdoc/>
    protected override IEnumerable<nn.Module<Tensor, AttentionContext, Tensor>> Layers => _layers;

    /// <inheritdoc/>
    protected override nn.Module<Tensor, Tensor> FinalNorm => _norm;

    /// <inheritdoc/>
    protected override (int Heads, int Width) CachedHeads { get; }

    /// <inheritdoc/>
    protected override Tensor Embed(Tensor inputIds, Tensor? positions, long past) => _embedding.call(inputIds);

    /// <inheritdoc/>
    protected override Rotation Rotate(Tensor hidden, Tensor? positions, long past) => positions is null
        ? _rotary.Rows(past, hidden.shape[1], hidden.dtype, hidden.device)
        : _rotary.Rows(positions, hidden.dtype, hidden.device);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _rotary.Dispose();
        }

        base.Dispose(disposing);
    }
}
