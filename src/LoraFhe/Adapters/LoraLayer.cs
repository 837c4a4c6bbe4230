using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>A frozen layer with low-rank adapters beside it, each under a name, of which one is active: y = base(x) + the active one's part.</summary>
/// <remarks>
/// <para>
/// The child <c>base_layer</c> is the frozen layer; the adapters' children are named as peft's, such as <c>lora_A.default</c>. Hybrid
/// training replaces <c>base_layer</c>. An adapter that is merged is part of the base layer's weight: while any is, and while adapters are
/// disabled, the output is the base layer's alone; what an adapter took out of its weight when it was made (<see cref="InitLoraWeights.Pissa"/>,
/// <see cref="InitLoraWeights.Olora"/>) is added again.
/// </para>
/// <para>Adapters are added, chosen and merged for the whole model, by <see cref="LoraModel"/>. Not thread-safe.</para>
/// </remarks>
public abstract class LoraLayer : nn.Module<Tensor, Tensor>, IAdapterPlace
{
    /// <summary>The base layer's parameter that adapters change.</summary>
    private protected const string WeightName = "weight";

    /// <summary>The base layer's parameter that adapters with a bias of their own change too.</summary>
    private protected const string BiasName = "bias";

    // Not readonly in spirit: hybrid training stores another module here, by the field.
    [ComponentName(Name = PeftNames.BaseLayer)]
    private readonly nn.Module<Tensor, Tensor> _baseLayer;

    [ComponentName(Name = PeftNames.Magnitude)]
    private readonly AdapterContainer<DoraMagnitude> _magnitudes = new(PeftNames.Magnitude);
    private readonly OrderedDictionary<string, LayerAdapter> _adapters = new(StringComparer.Ordinal);

    // In the order in which they were merged; with what each multiplied by.
    private readonly List<string> _merged = [];
    private readonly Dictionary<(string Adapter, string Parameter), Tensor> _factors = [];
    private string? _active;
    private bool _isEnabled = true;

    /// <param name="name">The type's name.</param>
    /// <param name="baseLayer">The frozen layer; owned from now on.</param>
    /// <param name="inFeatures">Columns of the input.</param>
    /// <param name="outFeatures">Columns of the output.</param>
    private protected LoraLayer(string name, nn.Module<Tensor, Tensor> baseLayer, long inFeatures, long outFeatures) : base(name)
    {
        _baseLayer = baseLayer;
        (InFeatures, OutFeatures) = (inFeatures, outFeatures);

        // Here rather than with the other fields: theirs would come first, and parameters are listed in the order of registration.
        register_module(PeftNames.BaseLayer, baseLayer);
    }

    /// <summary>The frozen layer, or what hybrid training put in its place. Owned by this module.</summary>
    public nn.Module<Tensor, Tensor> BaseLayer => _baseLayer;

    /// <summary>Columns of the input.</summary>
    public long InFeatures { get; }

    /// <summary>Columns of the output.</summary>
    public long OutFeatures { get; }

    /// <summary>The layer's adapters by name, in the order they came. A model's other layers may have others.</summary>
    public IReadOnlyDictionary<string, LayerAdapter> Adapters => _adapters;

    /// <summary>The adapters that are part of the base layer's weight now, in the order they were merged.</summary>
    public IReadOnlyList<string> MergedAdapters => _merged;

    /// <summary>The adapter whose part <c>forward</c> adds, or null: none is active here, adapters are disabled, or one is merged.</summary>
    public string? ActiveAdapter => _isEnabled && _merged.Count == 0 && _active is not null && _adapters.ContainsKey(_active) ? _active : null;

    /// <summary>m of an adapter with DoRA, [out], trained with A and B; null if the adapter has none. It is owned by this module.</summary>
    /// <param name="adapter">The name of an adapter of this layer.</param>
    public Parameter? LoraMagnitudeVector(string adapter) => _magnitudes.Modules.GetValueOrDefault(adapter)?.Weight;

    bool IAdapterPlace.IsBare => _adapters.Count == 0;

    IEnumerable<(string Name, Parameter Parameter)> IAdapterPlace.ParametersOf(string adapter) =>
        !_adapters.ContainsKey(adapter) ? []
        : LoraMagnitudeVector(adapter) is { } magnitude ? ParametersOf(adapter).Append((PeftNames.Magnitude, magnitude))
        : ParametersOf(adapter);

    void IAdapterPlace.Activate(string adapter, bool isEnabled)
    {
        (_active, _isEnabled) = (adapter, isEnabled);
        OnActiveAdapterChanged();
    }

    void IAdapterPlace.Remove(string adapter)
    {
        if (_adapters.Remove(adapter))
        {
            RemoveCore(adapter);
            _magnitudes.Remove(adapter);
            OnActiveAdapterChanged();
        }
    }

    nn.Module IAdapterPlace.Release(IReadOnlyCollection<string> merged)
    {
        if (_merged.Count == 0)
        {
            GiveBack();
        }

        _internal_submodules.Remove(PeftNames.BaseLayer);
        Dispose();
        return _baseLayer;
    }

    /// <summary>The first parameter that the adapters would be merged into and that the base layer does not have, or null.</summary>
    internal string? FindMissing(IEnumerable<string> adapters) =>
        adapters.SelectMany(Changes).Select(change => change.Parameter).FirstOrDefault(name => _baseLayer.get_parameter(name) is null);

    /// <summary>The first of the adapters with which a parameter of the base layer would no longer be finite, or null. It changes nothing.</summary>
    /// <param name="adapters">Names of adapters of this layer, in the order in which they would be merged.</param>
    internal string? FindNotFinite(IEnumerable<string> adapters)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var sums = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var adapter in adapters)
        {
            foreach (var change in Changes(adapter))
            {
                var sum = sums.TryGetValue(change.Parameter, out var before) ? before : sums[change.Parameter] = BaseParameter(change.Parameter).clone();
                change.Apply(sum, rounded: true);
                if (!sum.isfinite().all().item<bool>())
                {
                    return adapter;
                }
            }
        }

        return null;
    }

    /// <summary>Adds adapters to the base layer's parameters, in place.</summary>
    /// <param name="adapters">Names of adapters of this layer that are not merged.</param>
    /// <param name="rounded">Whether a change is rounded to the parameter's type before the sum, as peft's safe merge does, or only the sum.</param>
    internal void Merge(IEnumerable<string> adapters, bool rounded)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var adapter in adapters)
        {
            foreach (var change in Changes(adapter))
            {
                if (change.Apply(BaseParameter(change.Parameter), rounded) is { } factor)
                {
                    _factors[(adapter, change.Parameter)] = factor.DetachFromDisposeScope();
                }
            }

            _merged.Add(adapter);
        }

        OnActiveAdapterChanged();
    }

    /// <summary>Takes all merged adapters out of the base layer's parameters again, the last first.</summary>
    internal void Unmerge()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        for (; _merged.Count > 0; _merged.RemoveAt(_merged.Count - 1))
        {
            foreach (var change in Changes(_merged[^1]))
            {
                // The norms of the weight as it was, which cannot be told from the weight as it is.
                _factors.Remove((_merged[^1], change.Parameter), out var factor);
                change.TakeBack(BaseParameter(change.Parameter), factor);
                factor?.Dispose();
            }
        }

        OnActiveAdapterChanged();
    }

    /// <summary>Notes an adapter whose modules the derived class holds already.</summary>
    /// <param name="adapter">A name this layer does not have.</param>
    /// <param name="magnitude">m, [out], of an adapter with DoRA, owned from now on; or null.</param>
    /// <param name="options">How it acts.</param>
    private protected void Register(string adapter, Parameter? magnitude, LayerAdapter options)
    {
        if (magnitude is not null)
        {
            _magnitudes.Add(adapter, new DoraMagnitude(magnitude));
        }

        _adapters.Add(adapter, options);
        OnActiveAdapterChanged();
    }

    /// <summary>What training changes of an adapter of this layer: the ends of their names in peft's file, and the parameters.</summary>
    private protected abstract IEnumerable<(string Name, Parameter Parameter)> ParametersOf(string adapter);

    /// <summary>Disposes of an adapter's modules.</summary>
    private protected abstract void RemoveCore(string adapter);

    /// <summary>What merging an adapter does to parameters of the base layer.</summary>
    private protected abstract IEnumerable<ParameterChange> Changes(string adapter);

    /// <summary>What merging an adapter does to the base layer's weight: it adds <paramref name="sum"/>, and with DoRA gives each output of the sum the norm m.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="sum">Of the weight's shape.</param>
    /// <param name="outputDimension">The weight's dimension that counts outputs.</param>
    private protected ParameterChange ChangeOfWeight(string adapter, Func<Tensor> sum, int outputDimension) => new(WeightName, sum,
        LoraMagnitudeVector(adapter) is not { } magnitude ? null
        : changed => magnitude.unsqueeze(1 - outputDimension) / linalg.vector_norm(changed, dims: [1 - outputDimension], keepdim: true));

    /// <summary>What DoRA multiplies an output of W + s·B·A by, [out]: m over the norm, which is no part of the graph.</summary>
    /// <param name="adapter">An adapter with DoRA.</param>
    /// <param name="a">Its A, [r, in].</param>
    /// <param name="b">Its B, [out, r].</param>
    /// <returns>In the caller's dispose scope.</returns>
    private protected Tensor DoraFactor(string adapter, Tensor a, Tensor b) =>
        LoraMagnitudeVector(adapter)! / DoraBase.Norms(_baseLayer, a, b, Adapters[adapter].Scaling);

    /// <summary>Gives the base layer's weight what an adapter took out of it when it was made.</summary>
    private protected virtual void GiveBack()
    {
    }

    /// <summary>Called when <see cref="ActiveAdapter"/> may have changed.</summary>
    private protected virtual void OnActiveAdapterChanged()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var factor in _factors.Values)
            {
                factor.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private Parameter BaseParameter(string name) => _baseLayer.get_parameter(name)!;
}
