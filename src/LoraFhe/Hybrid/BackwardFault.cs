using System.Runtime.ExceptionServices;
using TorchSharp;

namespace LoraFhe;

/// <summary>
/// Carries an exception out of a backward pass. One that left a custom function's backward would end the process: libtorch calls it, and
/// native frames cannot be unwound. It is caught and kept, no gradient is returned, nothing further is computed or sent, and whoever
/// called <c>backward()</c> has it thrown afterwards.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public sealed class BackwardFault
{
    private ExceptionDispatchInfo? _caught;

    /// <summary>Whether an exception waits to be thrown.</summary>
    public bool IsPending => Volatile.Read(ref _caught) is not null;

    /// <summary>Throws, once, the exception that was kept, with the stack it had; does nothing if there is none.</summary>
    public void ThrowIfCaught() => Interlocked.Exchange(ref _caught, null)?.Throw();

    /// <summary>
    /// To be called after <c>backward()</c> of a model with <see cref="CustomLinear"/> or <see cref="RemoteModule"/> layers: throws the
    /// first exception that its layers kept, and forgets the rest.
    /// </summary>
    /// <param name="model">The model, or any module above it.</param>
    public static void ThrowIfAny(torch.nn.Module model)
    {
        ArgumentNullException.ThrowIfNull(model);
        ExceptionDispatchInfo? first = null;
        TakeAll(model, new HashSet<torch.nn.Module>(ReferenceEqualityComparer.Instance), ref first);
        first?.Throw();
    }

    // Every step comes here: no names are made, as they are where modules are listed.
    private static void TakeAll(torch.nn.Module module, HashSet<torch.nn.Module> seen, ref ExceptionDispatchInfo? first)
    {
        if (!seen.Add(module))
        {
            return;
        }

        if (module is IBackwardFaultSource source)
        {
            var caught = Interlocked.Exchange(ref source.Fault._caught, null);
            first ??= caught;
        }

        foreach (var (_, child) in module.named_children())
        {
            TakeAll(child, seen, ref first);
        }
    }

    /// <summary>Keeps the first exception.</summary>
    internal void Capture(Exception exception) =>
        Interlocked.CompareExchange(ref _caught, ExceptionDispatchInfo.Capture(exception), null);
}
