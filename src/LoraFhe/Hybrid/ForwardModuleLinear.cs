using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The forward product of a frozen linear layer: <c>x·Wᵀ + b</c>.</summary>
public sealed class ForwardModuleLinear : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = nameof(weight))]
    private Parameter _weight;

    [ComponentName(Name = nameof(bias))]
    private Parameter? _bias;

    /// <summary>A product with a given weight.</summary>
    /// <param name="weight">[out, in], or [in, out] if <paramref name="weightTransposed"/>. A <see cref="Parameter"/> is shared with its
    /// other holders; a plain tensor's memory is shared.</param>
    /// <param name="bias">[out], or null.</param>
    /// <param name="weightTransposed">Whether the weight is stored [in, out], as <see cref="Conv1D"/> stores it.</param>
    /// <exception cref="ArgumentException">A shape is wrong.</exception>
    public ForwardModuleLinear(Tensor weight, Tensor? bias = null, bool weightTransposed = false) : base(nameof(ForwardModuleLinear))
    {
        _weight = FrozenWeight.AsParameter(weight, nameof(weight));
        WeightTransposed = weightTransposed;
        _bias = FrozenWeight.AsBias(bias, Frozen.OutFeatures, nameof(bias));
        RegisterComponents();
    }

    /// <summary>The weight.</summary>
    public Parameter weight
    {
        get => _weight;
        private set => ConditionallyRegisterParameter(nameof(weight), _weight = value);
    }

    /// <summary>The bias, or null.</summary>
    public Parameter? bias
    {
        get => _bias;
        private set => ConditionallyRegisterParameter(nameof(bias), _bias = value);
    }

    /// <summary>Whether the weight is stored [in, out].</summary>
    public bool WeightTransposed { get; }

    internal FrozenWeight Frozen => new(_weight, WeightTransposed);

    /// <summary>Computes <c>x·Wᵀ + b</c>.</summary>
    /// <param name="input">[..., in].</param>
    /// <returns>[..., out].</returns>
    /// <exception cref="ArgumentException">The last dimension is not the layer's.</exception>
    public override Tensor forward(Tensor input) => Frozen.Forward(input, _bias);
}
