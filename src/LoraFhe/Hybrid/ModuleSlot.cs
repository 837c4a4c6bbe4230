using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>One place that holds a module: a field, an element of a list or a dictionary, or the registry of children.</summary>
/// <param name="Owner">The module this place belongs to.</param>
/// <param name="Name">The field that holds the module or its collection, or the registered name.</param>
/// <param name="DeclaredType">The type of the place: what it can hold.</param>
/// <param name="Held">The module found there.</param>
internal abstract record ModuleSlot(nn.Module Owner, string Name, Type DeclaredType, nn.Module Held)
{
    /// <summary>False for the registry, which names children but is not what <c>forward</c> calls.</summary>
    public virtual bool ServesForward => true;

    /// <summary>Whether a module of this type can be stored here.</summary>
    public bool CanHold(Type moduleType) => DeclaredType.IsAssignableFrom(moduleType);

    /// <summary>Stores <paramref name="module"/>; <see cref="CanHold"/> was asked before.</summary>
    public abstract void Set(nn.Module module);
}
