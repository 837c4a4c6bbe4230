using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Keeps what a custom function's backward returns until libtorch has it: TorchSharp gives it a bare handle, and keeps no object.</summary>
internal static class BackwardResult
{
    // libtorch takes its own reference when the callback returns, before it calls another on this thread.
    [ThreadStatic]
    private static Tensor? _last;

    /// <summary>Keeps a gradient, which belongs to no dispose scope from now on, until this thread's next one.</summary>
    public static Tensor Keep(Tensor gradient)
    {
        _last?.Dispose();
        return _last = gradient.DetachFromDisposeScope();
    }
}
