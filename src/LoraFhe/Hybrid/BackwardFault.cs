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
    // Kept by all faults together and not thrown yet. Every step asks, and to ask each layer costs more than all else that it does.
    private static long _pending;

    private ExceptionDispatchInfo? _caught;

    /// <summary>Whether an exception waits to be thrown.</summary>
    public bool IsPending => Volatile.Read(ref _caught) is not null;

    /// <summary>Keeps what the same backward passes return.</summary>
    internal BackwardResult Result { get; } = new();

    /// <summary>Throws, once, the exception that was kept, with the stack it had; does nothing if there is none.</summary>
    public void ThrowIfCaught() => Take()?.Throw();

    /// <summary>
    /// To be called after <c>backward()</c> of a model with <see cref="CustomLinear"/> or <see cref="RemoteModule"/> layers: throws the
    /// first exception that its layers kept, and forgets the rest.
    /// </summary>
    /// <param name="model">The model, or any module above it.</param>
    public static void ThrowIfAny(torch.nn.Module model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (Interlocked.Read(ref _pending) == 0)
        {
            return;
        }

        ExceptionDispatchInfo? first = null;
        TakeAll(model, new HashSet<torch.nn.Module>(ReferenceEqualityComparer.Instance), ref first);
        first?.Throw();
    }

    private static void TakeAll(torch.nn.Module module, HashSet<torch.nn.Module> seen, ref ExceptionDispatchInfo? first)
    {
        if (!seen.Add(module))
        {
            return;
        }

        if (module is IBackwardFaultSource source)
        {
            var caught = source.Fault.Take();
            first ??= caught;
        }

        foreach (var (_, child) in module.named_children())
        {
            TakeAll(child, seen, ref first);
        }
    }

    /// <summary>Keeps the first exception.</summary>
    internal void Capture(Exception exception)
    {
        if (Interlocked.CompareExchange(ref _caught, ExceptionDispatchInfo.Capture(exception), null) is null)
        {
            Interlocked.Increment(ref _pending);
        }
    }

    private ExceptionDispatchInfo? Take()
    {
        var caught = Interlocked.Exchange(ref _caught, null);
        if (caught is not null)
        {
            Interlocked.Decrement(ref _pending);
        }

        return caught;
    }
}
