using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Lists the modules below a module, and puts others in their places.</summary>
/// <remarks>
/// A TorchSharp module's children are registered by reflection over its fields, once, while <c>forward</c> goes on using the fields. A
/// replacement therefore writes every place that holds the child: the registry, fields (readonly ones, those of base classes and backing
/// fields of properties too), arrays, lists and dictionaries, and the private list of <c>Sequential</c> and <c>ModuleList</c>. A place typed
/// too narrowly, such as a field typed <c>Linear</c>, and a collection that is read-only keep their layer, and hooks on that call the replacement: this works where the layer is
/// used by <c>.call(...)</c>, not by <c>.forward(...)</c>, and training checks it at the first batch. Other hooks on such a layer see an
/// input of no rows: register them on the replacement. A replaced module is not disposed: it belongs to whoever replaced it, usually the
/// replacement.
/// Not safe while another thread uses the model.
/// </remarks>
public static class ModuleSurgery
{
    /// <summary>All modules below <paramref name="root"/>, itself excluded, in registration order, depth first: a parent before its children.</summary>
    /// <param name="root">Any module.</param>
    /// <returns>Each module once, under the first name it is reached by, even if it is shared. Read lazily: finish before replacing anything.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="root"/> is null.</exception>
    public static IEnumerable<NamedModule> Descendants(nn.Module root)
    {
        ArgumentNullException.ThrowIfNull(root);
        return Walk(root, "", new HashSet<nn.Module>(ReferenceEqualityComparer.Instance) { root });
    }

    /// <summary>Puts <paramref name="replacement"/> where <paramref name="parent"/> holds the child of that name.</summary>
    /// <param name="parent">The module that holds the child directly.</param>
    /// <param name="childName">The child's registered name; for a property, the property's name serves too.</param>
    /// <param name="replacement">The new child. <paramref name="parent"/> disposes it from now on.</param>
    /// <exception cref="ArgumentException"><paramref name="parent"/> has no child of that name.</exception>
    /// <exception cref="NotSupportedException">A field or collection cannot hold the replacement, and the child is no layer that hooks can
    /// serve: a <c>Linear</c>, <see cref="Conv1D"/> or <c>Embedding</c>. Nothing was changed; the message names layer, field and cure.</exception>
    /// <remarks>A child that the parent holds under several names is replaced under all of them. A layer that stays in a field typed too
    /// narrowly is replaced for all its callers: also for another parent that shares it.</remarks>
    public static void Replace(nn.Module parent, string childName, nn.Module replacement)
    {
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentException.ThrowIfNullOrEmpty(childName);
        ArgumentNullException.ThrowIfNull(replacement);
        EnsureRegistered(parent);
        var child = parent.named_children()
            .FirstOrDefault(entry => entry.name == childName || PropertyName(entry.name) == childName).module
            ?? throw new ArgumentException(Errors.NoSuchChild(parent.GetType(), childName, ChildNames(parent)), nameof(childName));
        var slots = ModuleSlots.Of(parent).Where(slot => ReferenceEquals(slot.Held, child)).ToArray();
        EnsureReplaceable([(childName, slots, replacement.GetType())]);
        Fill(slots, replacement);
    }

    /// <summary>All places of the tree below <paramref name="root"/> that hold a module, by the module they hold.</summary>
    internal static Dictionary<nn.Module, List<ModuleSlot>> FindSlots(nn.Module root)
    {
        var slots = new Dictionary<nn.Module, List<ModuleSlot>>(ReferenceEqualityComparer.Instance);
        foreach (var owner in Descendants(root).Select(entry => entry.Module).Prepend(root))
        {
            foreach (var slot in ModuleSlots.Of(owner))
            {
                if (!slots.TryGetValue(slot.Held, out var held))
                {
                    slots.Add(slot.Held, held = []);
                }

                held.Add(slot);
            }
        }

        return slots;
    }

    /// <summary>Replaces layers wherever a model holds them, under however many parents: everything is checked before anything changes.</summary>
    /// <param name="root">The model.</param>
    /// <param name="layers">Modules below it, each once.</param>
    /// <param name="replacement">The type of what takes their places.</param>
    /// <param name="make">Makes the one module that takes a layer's places.</param>
    /// <exception cref="NotSupportedException">A place cannot hold a replacement, or none was found that <c>forward</c> would call.</exception>
    internal static void ReplaceEverywhere(nn.Module root, IReadOnlyList<NamedModule> layers, Type replacement, Func<NamedModule, nn.Module> make)
    {
        var slots = FindSlots(root);
        EnsureReplaceable(layers.Select(layer => (layer.Name, slots[layer.Module], replacement)));
        foreach (var layer in layers)
        {
            Fill(slots[layer.Module], make(layer));
        }
    }

    /// <summary>Throws unless every layer's slots can be made to call a module of the type.</summary>
    /// <param name="layers">Each layer's name, its slots and the type of its replacement.</param>
    /// <exception cref="NotSupportedException">Some cannot; the text has a line for each.</exception>
    internal static void EnsureReplaceable<TSlots>(IEnumerable<(string Name, TSlots Slots, Type Replacement)> layers)
        where TSlots : IReadOnlyCollection<ModuleSlot>
    {
        var faults = layers.Select(layer => Fault(layer.Name, layer.Slots, layer.Replacement)).OfType<string>().ToList();
        if (faults.Count > 0)
        {
            throw new NotSupportedException(string.Join(Environment.NewLine, faults));
        }
    }

    /// <summary>Makes all slots of one module call the replacement.</summary>
    internal static void Fill(IEnumerable<ModuleSlot> slots, nn.Module replacement)
    {
        TorchInternals.EnsureRegistered(replacement);
        var serving = Serving([.. slots]);
        if (serving.FirstOrDefault() is { Held: var original })
        {
            ReplacedLayers.Note(original, replacement);
        }

        // A layer without a twin stays inside its replacement: places that stored that one would come past the hooks' mark.
        var keep = serving.Exists(slot => !slot.CanStore(replacement.GetType()) && !HookableLayer.HasTwin(slot.Stored));
        foreach (var slot in serving)
        {
            slot.Put(replacement, keep);
        }
    }

    private static string? Fault(string layer, IReadOnlyCollection<ModuleSlot> slots, Type replacement)
    {
        var narrow = Serving(slots).Find(slot => !slot.CanHold(replacement));
        return narrow switch
        {
            null => slots.Any(slot => slot.ServesForward) ? null : Errors.HolderNotFound(layer, slots.FirstOrDefault()?.Owner.GetType()),
            { IsKnown: false } => Errors.HolderNotFound(layer, narrow.Owner.GetType()),
            _ when HookableLayer.Knows(narrow.Stored) && LayerHook.At(narrow) is null => Errors.HookedElsewhere(layer, narrow.Owner.GetType(), narrow.Name, replacement),
            { IsReadOnly: true } => Errors.CollectionReadOnly(layer, narrow.Owner.GetType(), narrow.Name, replacement),
            _ => Errors.FieldTooNarrow(layer, narrow.Owner.GetType(), narrow.Name, narrow.DeclaredType, replacement),
        };
    }

    // A place that cannot be seen is of no concern where another is known, unless hooks serve it already.
    private static List<ModuleSlot> Serving(IReadOnlyCollection<ModuleSlot> slots)
    {
        var known = slots.Any(slot => slot is { IsKnown: true, ServesForward: true });
        return [.. slots.Where(slot => slot.IsKnown || !known || LayerHook.At(slot) is not null)];
    }

    /// <summary>A field's name as a reader knows it: the property's name for the compiler's backing field of a property or of a captured
    /// primary constructor parameter, else the name itself.</summary>
    internal static string PropertyName(string fieldName)
    {
        var end = fieldName.StartsWith('<') ? fieldName.IndexOf('>', StringComparison.Ordinal) : -1;
        return end > 1 ? fieldName[1..end] : fieldName;
    }

    private static IEnumerable<NamedModule> Walk(nn.Module parent, string prefix, HashSet<nn.Module> seen)
    {
        EnsureRegistered(parent);
        foreach (var (childName, child) in parent.named_children())
        {
            if (!seen.Add(child))
            {
                continue;
            }

            var name = prefix + PropertyName(childName);
            yield return new NamedModule(name, child, parent, childName);
            foreach (var descendant in Walk(child, name + ".", seen))
            {
                yield return descendant;
            }
        }
    }

    private static void EnsureRegistered(nn.Module parent)
    {
        TorchInternals.EnsureRegistered(parent);
        ModuleSlots.RenewRegistry(parent);
    }

    private static IEnumerable<string> ChildNames(nn.Module parent) => parent.named_children().Select(entry => PropertyName(entry.name));
}
