using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>One place that holds a module: a field, an element of a list or a dictionary, or the registry of children.</summary>
/// <param name="Owner">The module this place belongs to.</param>
/// <param name="Name">The field that holds the module or its collection, or the registered name.</param>
/// <param name="DeclaredType">The type of the place: what can be stored there.</param>
/// <param name="Stored">The module found there.</param>
internal abstract record ModuleSlot(nn.Module Owner, string Name, Type DeclaredType, nn.Module Stored)
{
    /// <summary>The module this place stands for: what is stored there, or what hooks on that call instead.</summary>
    public nn.Module Held => LayerHook.At(this)?.Replacement ?? Stored;

    /// <summary>False for the registry, which names children but is not what <c>forward</c> calls.</summary>
    public virtual bool ServesForward => true;

    /// <summary>False where a module is known to be held, but not by what.</summary>
    public virtual bool IsKnown => true;

    /// <summary>True for what keeps what it holds, whatever its type: only hooks can serve it.</summary>
    public virtual bool IsReadOnly => false;

    /// <summary>Whether a module of this type can be stored here.</summary>
    public bool CanStore(Type moduleType) => IsKnown && !IsReadOnly && DeclaredType.IsAssignableFrom(moduleType);

    /// <summary>Whether this place can be made to call a module of this type, by storing it or by hooks on the layer that stays.</summary>
    public bool CanHold(Type moduleType) => CanStore(moduleType) || LayerHook.CanServe(this, moduleType);

    /// <summary>Makes this place call <paramref name="module"/>; <see cref="CanHold"/> was asked before.</summary>
    /// <param name="module">Stored if the type allows it; else hooks on the layer that stays call it.</param>
    /// <param name="keep">Whether the layer stays even where it need not.</param>
    public void Put(nn.Module module, bool keep = false)
    {
        var hook = LayerHook.At(this);
        if (ReferenceEquals(module, Stored) || (CanStore(module.GetType()) && !(keep && ServesForward)))
        {
            if (IsKnown)
            {
                Set(module);
            }

            hook?.Leave(this);
        }
        else
        {
            (hook ?? LayerHook.On(Stored)).Take(this, (nn.Module<Tensor, Tensor>)module);
        }
    }

    /// <summary>Stores a module.</summary>
    protected abstract void Set(nn.Module module);
}
