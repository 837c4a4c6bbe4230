using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>A linear layer whose weight is stored [in, out], as GPT-2's are: y = x·W + b.</summary>
/// <remarks>
/// The same arithmetic as <see cref="Linear"/> with the weight transposed; the name is the one that the Transformers library and its
/// checkpoints use. Members are spelled as <see cref="Linear"/>'s. Not thread-safe while a parameter is replaced.
/// </remarks>
public sealed class Conv1D : nn.Module<Tensor, Tensor>
{
    // GPT-2's initializer_range.
    private const double InitialDeviation = 0.02;

    [ComponentName(Name = nameof(weight))]
    private Parameter? _weight;

    [ComponentName(Name = nameof(bias))]
    private Parameter? _bias;

    /// <summary>A layer with a weight drawn from N(0, 0.02²), as GPT-2 draws it, and a zero bias.</summary>
    /// <param name="inFeatures">Columns of the input, positive.</param>
    /// <param name="outFeatures">Columns of the output, positive.</param>
    /// <param name="hasBias">Whether b exists.</param>
    /// <param name="device">Where the parameters live; null: TorchSharp's default device.</param>
    /// <param name="dtype">Their type; null: TorchSharp's default type.</param>
    /// <exception cref="ArgumentOutOfRangeException">A width is not positive.</exception>
    public Conv1D(long inFeatures, long outFeatures, bool hasBias = true, Device? device = null, ScalarType? dtype = null)
        : base(nameof(Conv1D))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inFeatures);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outFeatures);
        weight = empty([inFeatures, outFeatures], dtype: dtype, device: device).AsParameter();
        nn.init.normal_(weight, 0, InitialDeviation);
        bias = hasBias ? zeros([outFeatures], dtype: dtype, device: device).AsParameter() : null;
    }

    /// <summary>A layer around given parameters, which it owns and disposes.</summary>
    /// <param name="weight">[in, out], floating point.</param>
    /// <param name="bias">[out], or null.</param>
    /// <exception cref="ArgumentException">A shape differs.</exception>
    public Conv1D(Parameter weight, Parameter? bias = null) : base(nameof(Conv1D))
    {
        ArgumentNullException.ThrowIfNull(weight);
        this.weight = weight;
        this.bias = bias;
    }

    /// <summary>W, [in, out]. Setting it disposes the one before.</summary>
    /// <exception cref="ArgumentException">The value has not two dimensions.</exception>
    public Parameter weight
    {
        get => _weight!;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            if (value.dim() != 2)
            {
                throw new ArgumentException(Errors.Conv1DWeightShape(value.shape), nameof(value));
            }

            Store(ref _weight, value, nameof(weight));
        }
    }

    /// <summary>b, [out], or null. Setting it disposes the one before.</summary>
    /// <exception cref="ArgumentException">The value's shape is not [out].</exception>
    public Parameter? bias
    {
        get => _bias;
        set
        {
            if (value is not null && (value.dim() != 1 || value.shape[0] != out_features))
            {
                throw new ArgumentException(Errors.Conv1DBiasShape(value.shape, out_features), nameof(value));
            }

            Store(ref _bias, value, nameof(bias));
        }
    }

    /// <summary>Columns of the input.</summary>
    public long in_features => weight.shape[0];

    /// <summary>Columns of the output.</summary>
    public long out_features => weight.shape[1];

    /// <summary>x·W + b.</summary>
    /// <param name="input">[..., in], of the weight's type and device.</param>
    /// <returns>[..., out]. The caller disposes it.</returns>
    /// <exception cref="ArgumentException">The input's last dimension is not <see cref="in_features"/>.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.dim() == 0 || input.shape[^1] != in_features)
        {
            // A product of unlike shapes ends the process inside libtorch.
            throw new ArgumentException(Errors.Conv1DInputShape(input.shape, in_features), nameof(input));
        }

        using var transposed = weight.t();
        return nn.functional.linear(input, transposed, bias!);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _weight?.Dispose();
            _bias?.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Store(ref Parameter? field, Parameter? value, string name)
    {
        if (value is not null && value.Handle == field?.Handle)
        {
            return;
        }

        field?.Dispose();
        field = value?.DetachFromDisposeScope() as Parameter;
        ConditionallyRegisterParameter(name, field);
    }
}
