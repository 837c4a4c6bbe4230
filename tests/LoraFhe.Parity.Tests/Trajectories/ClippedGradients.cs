using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>An optimizer that hands everything on, and keeps how long the gradients were that it was given.</summary>
/// <param name="optimizer">Does the work; the caller's.</param>
internal sealed class ClippedGradients(optim.Optimizer optimizer) : optim.Optimizer(IntPtr.Zero)
{
    /// <summary>The L2 norm over all parameters at the last step.</summary>
    public double Norm { get; private set; }

    public override IEnumerable<optim.ILearningRateController> ParamGroups => optimizer.ParamGroups;

    public override IEnumerable<Parameter> parameters() => optimizer.parameters();

    public override void zero_grad() => optimizer.zero_grad();

    public override Tensor step(Func<Tensor>? closure = null)
    {
        using var scope = NewDisposeScope();
        Norm = Math.Sqrt(parameters().Sum(parameter => parameter.grad!.to(float64).square().sum().item<double>()));
        return optimizer.step(closure!)?.MoveToOuterDisposeScope()!;
    }
}
