using static TorchSharp.torch;

namespace LoraFhe;

// Adapters as part of the base layers' weights, and the way back to the bare model.
public sealed partial class LoraModel
{
    /// <summary>The adapters that are part of the base layers' weights now, in the order they were merged.</summary>
    public IReadOnlyList<string> MergedAdapters => [.. AdaptedLayers.SelectMany(entry => entry.Layer.MergedAdapters).Distinct(StringComparer.Ordinal)];

    /// <summary>Adds adapters to the weights of their layers, in place: W += s·B·A. The model answers as before, at the bare model's speed.</summary>
    /// <param name="safeMerge">Whether to look first whether all merged weights would be finite.</param>
    /// <param name="adapterNames">Which; null: the active one. Those that are merged already are left, with a warning.</param>
    /// <exception cref="ArgumentException">There is no adapter of a name. Nothing was changed.</exception>
    /// <exception cref="NotFiniteNumberException">With <paramref name="safeMerge"/>: a weight would not be finite; the message names layer and
    /// adapter. Nothing was changed, in no layer.</exception>
    /// <exception cref="InvalidOperationException">Adapters are disabled, or a base layer lacks what is to be merged into, or the model is
    /// under hybrid training, or unloaded. Nothing was changed.</exception>
    /// <remarks>
    /// The product is computed in the adapter's type, half precision on a CPU in single precision, and the sum rounded to the weight's, as
    /// peft does. A tied weight changes in all its places, and so do the answers. Whoever is then given the frozen weights is given the
    /// adapter in them.
    /// </remarks>
    public void MergeAdapter(bool safeMerge = false, IReadOnlyCollection<string>? adapterNames = null)
    {
        var names = Known(adapterNames ?? [ActiveAdapter], nameof(adapterNames));
        if (!IsEnabled)
        {
            throw new InvalidOperationException(Errors.AdaptersDisabled(nameof(MergeAdapter)));
        }

        EnsureNotHybrid(nameof(MergeAdapter));
        MergeCore(safeMerge, names);
    }

    /// <summary>Takes all merged adapters out of the weights again, the last first.</summary>
    /// <exception cref="InvalidOperationException">The model is under hybrid training, or unloaded. Nothing was changed.</exception>
    /// <remarks>A weight is W + s·B·A − s·B·A, each sum rounded to its type: it is what it was before to a few units in the last place
    /// of the larger of the two, not to the bit. Where bits matter, keep a copy or load the model again.</remarks>
    public void UnmergeAdapter()
    {
        if (MergedAdapters.Count == 0)
        {
            _logger?.NothingToUnmerge();
            return;
        }

        EnsureNotHybrid(nameof(UnmergeAdapter));
        UnmergeCore();
    }

    /// <summary>Merges adapters and takes the others out: the user's model with weights that hold the adapters' change, its modules as they
    /// were before <see cref="Apply"/>.</summary>
    /// <param name="safeMerge">Whether to look first whether all merged weights would be finite.</param>
    /// <param name="adapterNames">Which; null: the active one.</param>
    /// <returns>The user's model; it belongs to the caller again. This module is of no use any more.</returns>
    /// <exception cref="ArgumentException">There is no adapter of a name. Nothing was changed.</exception>
    /// <exception cref="NotFiniteNumberException">With <paramref name="safeMerge"/>: a weight would not be finite. Nothing was changed.</exception>
    /// <exception cref="InvalidOperationException">A base layer lacks what is to be merged into, or the model is under hybrid training, or
    /// unloaded. Nothing was changed.</exception>
    public nn.Module MergeAndUnload(bool safeMerge = false, IReadOnlyCollection<string>? adapterNames = null)
    {
        var names = Known(adapterNames ?? [ActiveAdapter], nameof(adapterNames));
        EnsureNotHybrid(nameof(MergeAndUnload));
        MergeCore(safeMerge, names);
        return Detach(names);
    }

    /// <summary>Takes the adapters out: the user's model, its modules as they were before <see cref="Apply"/>. What is merged stays merged;
    /// trained biases stay trained.</summary>
    /// <returns>The user's model; it belongs to the caller again. Its parameters ask for gradients as they did before. This module is of no
    /// use any more.</returns>
    /// <exception cref="InvalidOperationException">The model is under hybrid training, or unloaded. Nothing was changed.</exception>
    public nn.Module Unload()
    {
        EnsureNotHybrid(nameof(Unload));
        return Detach(MergedAdapters);
    }

    private void MergeCore(bool safeMerge, List<string> names)
    {
        var merged = MergedAdapters;
        var fresh = names.Where(name => !merged.Contains(name, StringComparer.Ordinal)).ToList();
        if (merged.Count > 0)
        {
            WarnOfMerged(merged, fresh);
        }

        var layers = AdaptedLayers.Select(entry => (entry.Name, entry.Layer, Adapters: fresh.Where(entry.Layer.Adapters.ContainsKey).ToList()))
            .Where(entry => entry.Adapters.Count > 0).ToList();
        foreach (var (name, layer, adapters) in layers)
        {
            EnsureMergeable(name, layer, adapters, safeMerge);
        }

        foreach (var (_, layer, adapters) in layers)
        {
            layer.Merge(adapters, rounded: safeMerge);
        }
    }

    private static void EnsureMergeable(string name, LoraLayer layer, List<string> adapters, bool safeMerge)
    {
        if (layer.FindMissing(adapters) is { } missing)
        {
            throw new InvalidOperationException(Errors.NothingToMergeInto(name, missing));
        }

        if (safeMerge && layer.FindNotFinite(adapters) is { } adapter)
        {
            throw new NotFiniteNumberException(Errors.MergeNotFinite(name, adapter));
        }
    }

    private void WarnOfMerged(IReadOnlyList<string> merged, List<string> fresh)
    {
        if (_logger is null)
        {
            return;
        }

        if (fresh.Count == 0)
        {
            _logger.AlreadyMerged(string.Join(", ", merged));
        }
        else
        {
            _logger.MergedOnTop(string.Join(", ", merged), string.Join(", ", fresh));
        }
    }

    private void UnmergeCore()
    {
        // As a tied weight needs it, where DoRA multiplied what another layer's adapter had added.
        foreach (var (_, layer) in AdaptedLayers.Reverse())
        {
            layer.Unmerge();
        }
    }

    private void UnmergeBecause(string operation)
    {
        if (MergedAdapters.Count > 0)
        {
            EnsureNotHybrid(operation);
            _logger?.UnmergedFirst(operation);
            UnmergeCore();
        }
    }

    /// <summary>Throws if no adapter changes what the model computes.</summary>
    /// <exception cref="InvalidOperationException">One is merged, all are disabled, or the model was unloaded; the text names the cure.</exception>
    internal void EnsureAdapting(string operation)
    {
        _ = Model;
        if (MergedAdapters is [var merged, ..])
        {
            throw new InvalidOperationException(Errors.AdapterMerged(merged, operation));
        }

        if (!IsEnabled)
        {
            throw new InvalidOperationException(Errors.AdaptersDisabled(operation));
        }
    }

    private void EnsureNotMerged(string adapterName, string operation)
    {
        if (MergedAdapters.Contains(adapterName, StringComparer.Ordinal))
        {
            throw new InvalidOperationException(Errors.AdapterMerged(adapterName, operation));
        }
    }

    // The frozen layers' weights are quantized and prepared, here or elsewhere: changing them would change nothing there.
    private void EnsureNotHybrid(string operation)
    {
        var place = ModuleSurgery.Descendants(Model).FirstOrDefault(entry => entry.Module is CustomLinear or RemoteModule);
        if (place.Module is not null)
        {
            throw new InvalidOperationException(Errors.UnderHybridTraining(FrozenGroup.ShortName(place.Name), place.Module.GetType(), operation));
        }
    }

    // Also the way back of a load that failed.
    private nn.Module Detach(IReadOnlyCollection<string> merged)
    {
        var model = Model;
        TakeOut(Places.Select(entry => entry.Place), merged);

        foreach (var (name, parameter) in model.named_parameters())
        {
            parameter.requires_grad = _trainableBefore.GetValueOrDefault(name, parameter.requires_grad);
        }

        _isUnloaded = true;
        (Places, AdaptedLayers) = ([], []);
        _internal_submodules.Remove(PeftNames.BaseModel);
        _baseModel.Release();
        Dispose();
        return model;
    }

    // Puts the bare modules back where they were.
    private void TakeOut(IEnumerable<IAdapterPlace> places, IReadOnlyCollection<string> merged)
    {
        var slots = ModuleSurgery.FindSlots(Model);
        foreach (var place in places)
        {
            ModuleSurgery.Fill(slots[(nn.Module)place], Original((nn.Module)place, place.Release(merged)));
        }
    }

    // A layer that hooks serve stayed in its place, and what took it over holds its twin.
    private static nn.Module Original(nn.Module place, nn.Module released) =>
        ReplacedLayers.Before(place, out var original) && original is not null && LayerHook.IsTwin(original, released) ? original : released;
}
