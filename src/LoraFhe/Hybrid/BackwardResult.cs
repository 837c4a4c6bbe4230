using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Keeps what a custom function's backward returns until libtorch has it: TorchSharp gives it a bare handle, and keeps no object.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class BackwardResult
{
    // libtorch takes its own reference when the callback returns, before it calls another on this thread.
    private readonly ThreadLocal<Tensor?> _last = new();

    /// <summary>Keeps a gradient, which belongs to no dispose scope from now on, until this thread's next one.</summary>
    public Tensor Keep(Tensor gradient)
    {
        _last.Value?.Dispose();
        return _last.Value = gradient.DetachFromDisposeScope();
    }
}
