using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Keeps what a custom function's backward returns until libtorch has it: TorchSharp gives it a bare handle, and keeps no object.</summary>
/// <remarks>One for the layers of one model, whose backward passes run one at a time.</remarks>
internal sealed class BackwardResult
{
    private Tensor? _last;

    /// <summary>Keeps a gradient, which belongs to no dispose scope from now on, until the next: libtorch takes its own reference before it calls back again.</summary>
    public Tensor Keep(Tensor gradient)
    {
        _last?.Dispose();
        return _last = gradient.DetachFromDisposeScope();
    }
}
