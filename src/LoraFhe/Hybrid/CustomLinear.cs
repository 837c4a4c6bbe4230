using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>
/// A frozen linear layer whose two products are modules of their own, so that each can be computed elsewhere: <c>forward_module</c> gives
/// <c>x·Wᵀ + b</c>, <c>backward_module</c> turns the gradient of that into the gradient of x.
/// </summary>
/// <remarks>
/// The weight and the bias never get a gradient, whatever they ask for; only under <see cref="LoraConfig.Bias"/> the bias does. If x requires no gradient, backward is never called. An exception in
/// the backward product is kept: call <see cref="BackwardFault.ThrowIfAny"/> after <c>backward()</c>, or the next forward throws it.
/// The original parameters are shared, not copied.
/// </remarks>
public sealed class CustomLinear : nn.Module<Tensor, Tensor>, IBackwardFaultSource
{
    // Typed so that a RemoteModule can take their place.
    [ComponentName(Name = "forward_module")]
    private readonly nn.Module<Tensor, Tensor> _forwardModule;

    [ComponentName(Name = "backward_module")]
    private readonly nn.Module<Tensor, Tensor> _backwardModule;

    private readonly long _inFeatures;

    // A delegate, since TorchSharp would register fields that hold the modules a second time.
    private Action? _shareWeight;

    /// <summary>A layer around an existing one's parameters.</summary>
    /// <param name="weight">[out, in], or [in, out] if <paramref name="weightTransposed"/>.</param>
    /// <param name="bias">[out], or null.</param>
    /// <param name="weightTransposed">Whether the weight is stored [in, out], as <see cref="Conv1D"/> stores it.</param>
    /// <exception cref="ArgumentException">A shape is wrong.</exception>
    public CustomLinear(Tensor weight, Tensor? bias = null, bool weightTransposed = false) : base(nameof(CustomLinear))
    {
        // One parameter for both children, so that nothing lists it twice.
        var forward = new ForwardModuleLinear(weight, bias, weightTransposed);
        var backward = new BackwardModuleLinear(forward);
        _forwardModule = forward;
        _backwardModule = backward;
        _shareWeight = () => backward.Adopt(forward.weight);
        _inFeatures = forward.Frozen.InFeatures;
        RegisterComponents();
    }

    /// <summary>The forward product: a <see cref="ForwardModuleLinear"/>, or the <see cref="RemoteModule"/> that took its place.</summary>
    public nn.Module<Tensor, Tensor> ForwardModule => _forwardModule;

    /// <summary>The backward product: a <see cref="BackwardModuleLinear"/>, or the <see cref="RemoteModule"/> that took its place.</summary>
    public nn.Module<Tensor, Tensor> BackwardModule => _backwardModule;

    /// <summary>The bias, or null.</summary>
    internal Tensor? Bias => _forwardModule is RemoteModule remote ? remote.Bias : FrozenLinear.Of(_forwardModule)?.Bias;

    /// <summary>Whether the bias gets a gradient if it asks for one: where an adapter trains it.</summary>
    internal bool TrainsBias { get; set; }

    BackwardFault IBackwardFaultSource.Fault { get; set; } = new();

    /// <summary>Computes <c>x·Wᵀ + b</c>.</summary>
    /// <param name="input">[..., in].</param>
    /// <returns>[..., out]; differentiable in the input.</returns>
    /// <exception cref="ArgumentException">The last dimension is not the layer's.</exception>
    public override Tensor forward(Tensor input)
    {
        FrozenWeight.CheckWidth(input, _inFeatures, nameof(input));
        var fault = ((IBackwardFaultSource)this).Fault;
        fault.ThrowIfCaught();
        Tensor output;
        using (no_grad())
        {
            output = _forwardModule.call(input);
        }

        var attached = _forwardModule is RemoteModule remote
            ? remote.AttachGradient(input, output, _backwardModule.call, fault)
            : LinearFunction.Attach(input, output, _backwardModule.call, fault);
        return TrainsBias ? BiasGradient.Attach(attached, Bias) : attached;
    }

    /// <summary>Lets go of the float weight; the products must have been replaced.</summary>
    internal void Forget() => _shareWeight = null;

    /// <inheritdoc/>
    protected override void _toEpilog(ScalarType? dtype, Device? device, bool non_blocking)
    {
        base._toEpilog(dtype, device, non_blocking);
        _shareWeight?.Invoke();
    }
}
