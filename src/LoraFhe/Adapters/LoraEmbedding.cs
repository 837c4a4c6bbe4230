using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>A frozen embedding with low-rank adapters beside it: y = base(ids) + s·B·A[:, ids] with the active adapter's A, B and s.</summary>
/// <remarks>
/// <para>
/// As in peft, A [r, entries] and B [width, r] are parameters themselves, named <c>lora_embedding_A.default</c>; A starts at zero. The change
/// of the weight [entries, width] is s·(B·A)ᵀ. There is no dropout on ids.
/// </para>
/// <para>
/// TorchSharp tells no embedding's <c>padding_idx</c> or <c>max_norm</c>: the padding's row of A is trained like any other. Not thread-safe.
/// </para>
/// </remarks>
public sealed class LoraEmbedding : LoraLayer
{
    [ComponentName(Name = PeftNames.Dropout)]
    private readonly AdapterContainer<nn.Module<Tensor, Tensor>> _loraDropout = new(PeftNames.Dropout);

    [ComponentName(Name = PeftNames.EmbeddingA)]
    private readonly ParameterContainer _loraA = new(PeftNames.EmbeddingA);

    [ComponentName(Name = PeftNames.EmbeddingB)]
    private readonly ParameterContainer _loraB = new(PeftNames.EmbeddingB);

    /// <param name="baseLayer">The embedding; owned from now on.</param>
    internal LoraEmbedding(Embedding baseLayer)
        : base(nameof(LoraEmbedding), baseLayer, EmbeddingWeight.Of(baseLayer).shape[0], EmbeddingWeight.Of(baseLayer).shape[1])
    {
        RegisterComponents();
        train(baseLayer.training);
    }

    /// <summary>A of an adapter, [r, entries]. It is owned by this module.</summary>
    /// <param name="adapter">The name of an adapter of this layer.</param>
    /// <exception cref="KeyNotFoundException">This layer has no such adapter.</exception>
    public Parameter LoraEmbeddingA(string adapter) => _loraA.Of(adapter);

    /// <summary>B of an adapter, [width, r]. It is owned by this module.</summary>
    /// <param name="adapter">The name of an adapter of this layer.</param>
    /// <exception cref="KeyNotFoundException">This layer has no such adapter.</exception>
    public Parameter LoraEmbeddingB(string adapter) => _loraB.Of(adapter);

    /// <summary>base(ids) + s·B·A[:, ids], with DoRA that times m over the norms of the changed weight's columns, or base(ids) while <see cref="LoraLayer.ActiveAdapter"/> is null.</summary>
    /// <param name="input">Int64 [...], each from 0 to <see cref="LoraLayer.InFeatures"/> − 1.</param>
    /// <returns>[..., width], of the embedding's type. The caller disposes it.</returns>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return ActiveAdapter is { } adapter ? Add(adapter, input) : LayerHook.CallInside(BaseLayer, input);
    }

    /// <summary>Puts another adapter beside the embedding.</summary>
    /// <param name="adapter">A name this layer does not have.</param>
    /// <param name="a">[r, entries]; owned from now on.</param>
    /// <param name="b">[width, r], of the same type; owned from now on.</param>
    /// <param name="magnitude">m of DoRA, [width], or null; owned from now on.</param>
    /// <param name="options">How it acts.</param>
    internal void Add(string adapter, Parameter a, Parameter b, Parameter? magnitude, LayerAdapter options)
    {
        // peft has a dropout here too, which it never calls.
        _loraDropout.Add(adapter, nn.Identity());
        _loraA.Add(adapter, a);
        _loraB.Add(adapter, b);
        Register(adapter, magnitude, options);
    }

    private protected override IEnumerable<(string Name, Parameter Parameter)> ParametersOf(string adapter) =>
        [(PeftNames.EmbeddingA, _loraA.Of(adapter)), (PeftNames.EmbeddingB, _loraB.Of(adapter))];

    private protected override void RemoveCore(string adapter)
    {
        _loraDropout.Remove(adapter);
        _loraA.Remove(adapter);
        _loraB.Remove(adapter);
    }

    private protected override IEnumerable<ParameterChange> Changes(string adapter) =>
        [ChangeOfWeight(adapter, () => _loraB.Of(adapter).matmul(_loraA.Of(adapter)).t().mul(Adapters[adapter].Scaling), outputDimension: 1)];

    private Tensor Add(string adapter, Tensor ids)
    {
        using var scope = NewDisposeScope();
        var frozen = LayerHook.CallInside(BaseLayer, ids);
        var low = _loraA.Of(adapter).index_select(1, ids.flatten()).t();
        var high = low.matmul(_loraB.Of(adapter).t()).mul(Adapters[adapter].Scaling).view(frozen.shape);
        var sum = frozen.add(high);
        if (Adapters[adapter].UseDora)
        {
            sum = sum.mul(DoraFactor(adapter, _loraA.Of(adapter), _loraB.Of(adapter)));
        }

        return sum.to(frozen.dtype).MoveToOuterDisposeScope();
    }
}
