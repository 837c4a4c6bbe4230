using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>A decoder without its head: embedding, layers, final norm. A family says what its parts are; how they run is the same for
/// all.</summary>
internal abstract class Decoder(string name) : nn.Module<Tensor, Tensor?, Tensor?, KeyValueCache?, Tensor>(name)
{
    /// <summary>The token embedding's registered parameter; <see cref="Embedding.weight"/> would give a new handle at each call.</summary>
    public abstract Parameter EmbeddingWeight { get; }

    /// <summary>How many positions there are; null where any is as good as another.</summary>
    public abstract int? PositionCount { get; }

    /// <summary>The layers, first to last.</summary>
    protected abstract IEnumerable<nn.Module<Tensor, AttentionContext, Tensor>> Layers { get; }

    /// <summary>The norm after the last layer.</summary>
    protected abstract nn.Module<Tensor, Tensor> FinalNorm { get; }

    /// <summary>Key and value heads, and the width of each: what a cache holds a token.</summary>
    protected abstract (int Heads, int Width) CachedHeads { get; }

    /// <summary>What the first layer gets.</summary>
    /// <param name="inputIds">Int64 [batch, length].</param>
    /// <param name="positions">Int64 [batch, length]; null: consecutive from <paramref name="past"/>.</param>
    /// <param name="past">Tokens in the cache.</param>
    /// <returns>Floats [batch, length, hidden size].</returns>
    protected abstract Tensor Embed(Tensor inputIds, Tensor? positions, long past);

    /// <summary>The rotation of a pass's positions; null for a family that does not rotate.</summary>
    /// <param name="hidden">What the first layer gets: its length, element type and device are the pass's.</param>
    /// <param name="positions">As for <see cref="Embed"/>.</param>
    /// <param name="past">Tokens in the cache.</param>
    protected virtual Rotation? Rotate(Tensor hidden, Tensor? positions, long past) => null;

    /// <param name="inputIds">Int64 [batch, length].</param>
    /// <param name="attentionMask">[batch, tokens in the cache + length], 0 on padding; null where there is none.</param>
    /// <param name="positions">Int64 [batch, length]; null: the tokens follow those in the cache. Without a mask and a cache, positions that
    /// do not follow each other part texts that do not see each other.</param>
    /// <param name="cache">Keys and values of the tokens before, to which these are added; null where the pass is the whole text.</param>
    /// <returns>Floats [batch, length, hidden size].</returns>
    public override Tensor forward(Tensor inputIds, Tensor? attentionMask, Tensor? positions, KeyValueCache? cache) =>
        Run(inputIds, attentionMask, positions, cache, states: null);

    /// <summary>The states of a whole text: what the first layer gets, what each layer gives, what the head gets.</summary>
    /// <param name="inputIds">Int64 [batch, length].</param>
    /// <param name="attentionMask">[batch, length]; null where there is no padding.</param>
    /// <param name="positions">Int64 [batch, length]; null: consecutive from 0.</param>
    /// <returns>Floats [batch, length, hidden size], two more than there are layers.</returns>
    public IReadOnlyList<Tensor> States(Tensor inputIds, Tensor? attentionMask, Tensor? positions)
    {
        var states = new List<Tensor>();
        states.Add(Run(inputIds, attentionMask, positions, cache: null, states));
        return states;
    }

    /// <summary>Memory for a generation's keys and values.</summary>
    public KeyValueCache CreateCache(int batch, int capacity)
    {
        var (heads, width) = CachedHeads;
        return new KeyValueCache(Layers.Count(), [batch, heads, capacity, width], EmbeddingWeight.dtype, EmbeddingWeight.device);
    }

    private Tensor Run(Tensor inputIds, Tensor? attentionMask, Tensor? positions, KeyValueCache? cache, List<Tensor>? states)
    {
        var past = cache?.Length ?? 0;
        var length = inputIds.shape[1];
        var hidden = Embed(inputIds, positions, past);
        var mask = AttentionMask.Build(attentionMask, positions, length, past, inputIds.device);
        var context = new AttentionContext(mask, IsCausal: mask is null && length > 1, cache, Rotate(hidden, positions, past));
        states?.Add(hidden);
        foreach (var layer in Layers)
        {
            hidden = RunLayer(layer, hidden, context);
            states?.Add(hidden);
        }

        cache?.Advance(length);
        return FinalNorm.call(hidden);
    }

    // Without gradients nothing needs a layer's intermediate values once it is done; with them the graph holds most of them anyway.
    private static Tensor RunLayer(nn.Module<Tensor, AttentionContext, Tensor> layer, Tensor hidden, AttentionContext context)
    {
        if (is_grad_enabled())
        {
            return layer.call(hidden, context);
        }

        using var scope = NewDisposeScope();
        return layer.call(hidden, context).MoveToOuterDisposeScope();
    }
}
