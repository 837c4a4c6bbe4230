using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Watches one run of a model for whether every layer that surgery put in is really called.</summary>
/// <remarks>
/// Hooks run in a module's <c>call</c>. A layer that stayed in a field typed too narrowly, and is used by <c>forward</c> or by its weight,
/// computes without its replacement, and nothing else would tell.
/// </remarks>
internal sealed class ReachProbe : IDisposable
{
    private readonly List<Watched> _layers = [];
    private readonly HashSet<nn.Module> _called = new(ReferenceEqualityComparer.Instance);
    private readonly List<Action> _removals = [];

    /// <summary>Starts watching all replaced layers below a module, which must not be running.</summary>
    public ReachProbe(nn.Module root)
    {
        var slots = ModuleSurgery.FindSlots(root);
        foreach (var entry in ModuleSurgery.Descendants(root))
        {
            if (ReplacedLayers.Before(entry.Module, out var original))
            {
                var inner = ModuleSurgery.Descendants(entry.Module).Select(descendant => descendant.Module).ToList();
                _layers.Add(new Watched(entry.Name, entry.Module, inner, original, [.. slots[entry.Module].Where(slot => LayerHook.At(slot) is not null)]));
            }
        }

        foreach (var module in _layers.SelectMany(layer => layer.Inner.Append(layer.Module).Append(layer.Original))
            .OfType<nn.Module<Tensor, Tensor>>().Distinct())
        {
            _removals.Add(module.register_forward_pre_hook(called => _called.Add(called)).remove);
        }
    }

    /// <summary>Runs a model once under watch.</summary>
    /// <param name="root">The model.</param>
    /// <param name="run">Runs it.</param>
    /// <param name="logger">Told of layers that the run had no use for; null: nobody is.</param>
    /// <exception cref="NotSupportedException">A layer computed without its replacement; the text has a line for each.</exception>
    public static void Run(nn.Module root, Action run, ILogger? logger)
    {
        using var probe = new ReachProbe(root);
        run();
        probe.EnsureReached();
        if (logger is not null && probe.Idle() is { Count: > 0 } idle)
        {
            Log.LayersNotCalled(logger, string.Join(", ", idle));
        }
    }

    /// <summary>Throws if a layer was, or may have been, computed without its replacement.</summary>
    /// <exception cref="NotSupportedException">One was; the text has a line for each.</exception>
    public void EnsureReached()
    {
        var faults = _layers.Where(layer => !IsReached(layer)).Select(Fault).OfType<string>().ToList();
        if (faults.Count > 0)
        {
            throw new NotSupportedException(string.Join(Environment.NewLine, faults));
        }
    }

    /// <summary>The names of layers that the run did not call, though a call would have found them; of nested ones the outermost.</summary>
    public IReadOnlyList<string> Idle()
    {
        var idle = new List<string>();
        foreach (var layer in _layers.Where(layer => !_layers.Exists(outer => layer.Name.StartsWith(outer.Name + ".", StringComparison.Ordinal))))
        {
            if (!IsReached(layer))
            {
                idle.Add(layer.Name);
            }
        }

        return idle;
    }

    /// <inheritdoc/>
    public void Dispose() => _removals.ForEach(remove => remove());

    // A replacement may be called by its `forward`, which no hook sees: then what it calls was.
    private bool IsReached(Watched layer) => _called.Contains(layer.Module)
        || layer.Inner.Exists(module => _called.Contains(module) && !(ReferenceEquals(module, layer.Original) && layer.Inner.Count > 1));

    private string? Fault(Watched layer) => layer switch
    {
        { Hooked: [var place, ..] } => Errors.ReplacementNotCalled(layer.Name, place.Owner.GetType(), place.Name, place.Stored.GetType(), layer.Module.GetType()),
        { Original: { } original } when _called.Contains(original) => Errors.ReplacementPassed(layer.Name, layer.Module.GetType()),
        _ => null,
    };

    private sealed record Watched(string Name, nn.Module Module, List<nn.Module> Inner, nn.Module? Original, IReadOnlyList<ModuleSlot> Hooked);
}
