using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Hooks on a layer that stays where it is, because its place is typed too narrowly: whoever calls it gets its replacement's output.</summary>
/// <remarks>
/// A pre-hook gives the layer an input of no rows, so that it computes nothing; a hook then calls the replacement with the real input, which
/// is found by the input of no rows: calls may nest, repeat or end by exceptions. The registry of children holds the replacement. A
/// replacement that contains the layer gets a twin of the same parameters in its stead, so that it can be called from anywhere; an embedding
/// has no twin, and is let through while the hook calls its replacement. Hooks run in <c>call</c>, not in <c>forward</c>: see <see cref="ReachProbe"/>.
/// </remarks>
internal sealed class LayerHook
{
    private static readonly ConditionalWeakTable<nn.Module, LayerHook> Hooks = new();

    // Layers in places nobody can see, by the module that registered them and the name.
    private static readonly ConditionalWeakTable<nn.Module, Dictionary<string, nn.Module>> Hidden = new();

    private readonly nn.Module<Tensor, Tensor> _layer;
    private readonly HashSet<(nn.Module Owner, string Name)> _places = [];
    private readonly ConditionalWeakTable<Tensor, Tensor> _inputs = new();

    // Set while the replacement is being called by these hooks; each thread has its own. Null, not false, else: a thread's context keeps every
    // other value for good, and copies all of them at each change.
    private readonly AsyncLocal<bool?> _calling = new();
    private Action? _remove;
    private WeakReference<nn.Module<Tensor, Tensor>>? _twin;

    private LayerHook(nn.Module<Tensor, Tensor> layer)
    {
        _layer = layer;
        Replacement = layer;
    }

    /// <summary>What is called instead of the layer.</summary>
    public nn.Module<Tensor, Tensor> Replacement { get; private set; }

    /// <summary>The hook that a place goes through, or null if it holds what it stands for.</summary>
    public static LayerHook? At(ModuleSlot slot) =>
        Hooks.TryGetValue(slot.Stored, out var hook) && hook._places.Contains((slot.Owner, slot.Name)) ? hook : null;

    /// <summary>The layer whose hooks serve a registered name that no place was found for, or null.</summary>
    public static nn.Module? Behind(nn.Module owner, string name) => Hidden.TryGetValue(owner, out var layers) ? layers.GetValueOrDefault(name) : null;

    /// <summary>Whether a module is what a replacement of a layer was given in the layer's stead.</summary>
    public static bool IsTwin(nn.Module layer, nn.Module module) =>
        Hooks.TryGetValue(layer, out var hook) && hook._twin?.TryGetTarget(out var twin) is true && ReferenceEquals(twin, module);

    /// <summary>The hook of a layer, which does nothing until it takes a place.</summary>
    public static LayerHook On(nn.Module layer) => Hooks.GetValue(layer, key => new LayerHook((nn.Module<Tensor, Tensor>)key));

    /// <summary>Whether hooks can make a place call a module of this type.</summary>
    public static bool CanServe(ModuleSlot slot, Type replacement) =>
        HookableLayer.Knows(slot.Stored)
        && replacement.IsAssignableTo(typeof(nn.Module<Tensor, Tensor>))
        && (!Hooks.TryGetValue(slot.Stored, out var hook) || hook._places.Count == 0 || hook._places.Contains((slot.Owner, slot.Name)));

    /// <summary>Calls a layer from inside its replacement: past the hooks that may be on it, since they would call the replacement.</summary>
    public static Tensor CallInside(nn.Module<Tensor, Tensor> layer, Tensor input) =>
        Hooks.TryGetValue(layer, out var hook) && hook._places.Count > 0 ? layer.forward(input) : layer.call(input);

    /// <summary>Makes all hooked layers below a module share their twins' parameters again, after the module was moved.</summary>
    public static void ShareWeights(nn.Module root)
    {
        foreach (var hook in Below(root))
        {
            hook.Refresh();
        }
    }

    /// <summary>Lets go of the weights of all hooked layers below a module that no module there lists any more.</summary>
    public static void ForgetWeights(nn.Module root)
    {
        // Module by module: a dictionary of modules lists what its field holds, the hooked layers themselves.
        var listed = ModuleSurgery.Descendants(root).Select(entry => entry.Module).Prepend(root)
            .SelectMany(module => module.named_parameters(recurse: false)).Select(entry => entry.parameter.Handle).ToHashSet();
        foreach (var hook in Below(root))
        {
            hook.Refresh();
            if (!listed.Contains(HookableLayer.Weight(hook._layer).Handle))
            {
                HookableLayer.LetGo(hook._layer);
            }
        }
    }

    /// <summary>Makes a place call a module.</summary>
    public void Take(ModuleSlot slot, nn.Module<Tensor, Tensor> replacement)
    {
        _places.Add((slot.Owner, slot.Name));
        if (!slot.IsKnown)
        {
            Hidden.GetOrCreateValue(slot.Owner)[slot.Name] = _layer;
        }

        Replacement = replacement;
        ReplaceByTwin(replacement);
        if (_remove is null)
        {
            var before = _layer.register_forward_pre_hook(Before);
            var after = _layer.register_forward_hook(After);
            _remove = () =>
            {
                before.remove();
                after.remove();
            };
        }
    }

    /// <summary>A place goes its own way again; with the last one the layer is itself again.</summary>
    public void Leave(ModuleSlot slot)
    {
        _places.Remove((slot.Owner, slot.Name));
        if (!slot.IsKnown && Hidden.TryGetValue(slot.Owner, out var layers))
        {
            layers.Remove(slot.Name);
        }

        if (_places.Count == 0)
        {
            _remove!();
            _remove = null;
            Replacement = _layer;
            Refresh();
        }
    }

    private static IEnumerable<LayerHook> Below(nn.Module root) =>
        ModuleSurgery.FindSlots(root).Values.SelectMany(slots => slots).Select(At).OfType<LayerHook>().Distinct();

    private Tensor Before(nn.Module<Tensor, Tensor> layer, Tensor input)
    {
        if (_calling.Value is not null)
        {
            return input;
        }

        Refresh();
        var noRows = HookableLayer.NoRows(layer);
        _inputs.Add(noRows, input);
        return noRows;
    }

    private Tensor After(nn.Module<Tensor, Tensor> layer, Tensor noRows, Tensor nothing)
    {
        if (!_inputs.TryGetValue(noRows, out var input))
        {
            return _calling.Value is not null ? nothing : throw new InvalidOperationException(Errors.HookedInputChanged(layer.GetType()));
        }

        _inputs.Remove(noRows);
        nothing.Dispose();
        noRows.Dispose();
        _calling.Value = true;
        try
        {
            return Replacement.call(input);
        }
        finally
        {
            _calling.Value = null;
        }
    }

    // A call from inside the replacement would come back here.
    private void ReplaceByTwin(nn.Module replacement)
    {
        if (!ModuleSurgery.FindSlots(replacement).TryGetValue(_layer, out var inside))
        {
            return;
        }

        if (_twin?.TryGetTarget(out var twin) is not true)
        {
            twin = HookableLayer.Twin(_layer);
            _twin = twin is null ? null : new(twin);
        }

        if (twin is null)
        {
            return;
        }

        foreach (var slot in inside.Where(slot => slot.IsKnown))
        {
            slot.Put(twin);
        }
    }

    private void Refresh()
    {
        if (!HookableLayer.Weight(_layer).IsInvalid)
        {
            return;
        }

        if (_twin?.TryGetTarget(out var twin) is true)
        {
            HookableLayer.Share(_layer, twin);
        }
        else
        {
            HookableLayer.LetGo(_layer);
        }
    }
}
