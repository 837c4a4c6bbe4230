using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The backward product of a frozen linear layer, from its output's gradient to its input's: <c>g·W</c>.</summary>
public sealed class BackwardModuleLinear : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = nameof(weight))]
    private Parameter _weight;

    private readonly bool _followsForward;

    /// <summary>A product with a given weight.</summary>
    /// <param name="weight">[out, in], or [in, out] if <paramref name="weightTransposed"/>. A <see cref="Parameter"/> is shared with its
    /// other holders; a plain tensor's memory is shared.</param>
    /// <param name="weightTransposed">Whether the weight is stored [in, out], as <see cref="Conv1D"/> stores it.</param>
    /// <exception cref="ArgumentException">The weight has not two dimensions.</exception>
    public BackwardModuleLinear(Tensor weight, bool weightTransposed = false) : base(nameof(BackwardModuleLinear))
    {
        _weight = FrozenWeight.AsParameter(weight, nameof(weight));
        WeightTransposed = weightTransposed;
        RegisterComponents();
    }

    /// <summary>One half of a <see cref="CustomLinear"/>: moved to another device or type, it takes over the other half's parameter.</summary>
    internal BackwardModuleLinear(ForwardModuleLinear forward) : this(forward.weight, forward.WeightTransposed) => _followsForward = true;

    /// <summary>The weight.</summary>
    public Parameter weight
    {
        get => _weight;
        private set => ConditionallyRegisterParameter(nameof(weight), _weight = value);
    }

    /// <summary>Whether the weight is stored [in, out].</summary>
    public bool WeightTransposed { get; }

    internal FrozenWeight Frozen => new(_weight, WeightTransposed);

    /// <summary>Computes <c>g·W</c>.</summary>
    /// <param name="input">The gradient, [..., out].</param>
    /// <returns>[..., in].</returns>
    /// <exception cref="ArgumentException">The last dimension is not the layer's.</exception>
    public override Tensor forward(Tensor input) => Frozen.Backward(input);

    /// <summary>Shares a parameter that took the old one's place.</summary>
    internal void Adopt(Parameter parameter) => weight = parameter;

    /// <inheritdoc/>
    protected override void _toEpilog(ScalarType? dtype, Device? device, bool non_blocking)
    {
        // The parameter belongs to both halves: the forward half moves it.
        if (!_followsForward)
        {
            base._toEpilog(dtype, device, non_blocking);
        }
    }
}
