using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>A GPT-2 without its head: embeddings of tokens and of positions, layers, layer norm.</summary>
internal sealed class Gpt2Model : Decoder
{
    private readonly double _dropout;

    // Typed so that an adapter, or a copy that is trained whole, can take their places.
    [ComponentName(Name = "wte")]
    private readonly nn.Module<Tensor, Tensor> _embedding;

    [ComponentName(Name = "wpe")]
    private readonly nn.Module<Tensor, Tensor> _positionEmbedding;

    [ComponentName(Name = "h")]
    private readonly ModuleList<Gpt2Block> _layers;

    [ComponentName(Name = "ln_f")]
    private readonly nn.Module<Tensor, Tensor> _norm;

    public Gpt2Model(Gpt2Config config)
        : base(nameof(Gpt2Model))
    {
        _dropout = config.EmbeddingDropout;
        _embedding = nn.Embedding(config.VocabularySize, config.HiddenSize);
        _positionEmbedding = nn.Embedding(config.MaxPositionEmbeddings, config.HiddenSize);
        var layers = Enumerable.Range(0, config.LayerCount).Select(i => new Gpt2Block(config, i));
        _layers = new ModuleList<Gpt2Block>([.. layers]);
        _norm = nn.LayerNorm(config.HiddenSize, config.LayerNormEpsilon);
        RegisterComponents();
        EmbeddingWeight = _embedding.named_parameters(recurse: false).Single().parameter;
        PositionCount = config.MaxPositionEmbeddings;
        CachedHeads = (config.HeadCount, config.HiddenSize / config.HeadCount);
    }

    /// <inheritdoc/>
    public override Parameter EmbeddingWeight { get; }

    /// <inheritdoc/>
    public override int? PositionCount { get; }

    /// <inheritdoc/>
    protected override IEnumerable<nn.Module<Tensor, AttentionContext, Tensor>> Layers => _layers;

    /// <inheritdoc/>
    protected override nn.Module<Tensor, Tensor> FinalNorm => _norm;

    /// <inheritdoc/>
    protected override (int Heads, int Width) CachedHeads { get; }

    /// <inheritdoc/>
    protected override Tensor Embed(Tensor inputIds, Tensor? positions, long past)
    {
        positions ??= arange(past, past + inputIds.shape[1], ScalarType.Int64, inputIds.device).unsqueeze(0);
        return nn.functional.dropout(_embedding.call(inputIds) + _positionEmbedding.call(positions), _dropout, training);
    }
}
