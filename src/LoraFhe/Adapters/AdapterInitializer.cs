using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Makes the initial A and B of adapters, as the methods <c>…_init</c> and <c>reset_lora_parameters</c> of peft 0.21's <c>LoraLayer</c>.</summary>
/// <param name="scheme">Where they come from.</param>
/// <param name="seed">Of a generator of its own; null: torch's global one.</param>
internal sealed class AdapterInitializer(InitLoraWeights scheme, long? seed) : IDisposable
{
    private readonly Generator? _generator = seed is { } value ? new Generator(unchecked((ulong)value)) : null;

    /// <summary>Makes a pair for a linear layer, on its device, in its type; single precision where the layer has less, as peft keeps it.</summary>
    /// <param name="shape">The layer's widths, and its weight, which is read by <see cref="InitLoraWeights.Pissa"/> and
    /// <see cref="InitLoraWeights.Olora"/> only.</param>
    /// <param name="options">The adapter's rank and scaling, which fit the layer: <see cref="BaseFactors.Fault"/> was asked.</param>
    /// <returns>A [r, in] and B [out, r], in no dispose scope; the caller owns them.</returns>
    public (Parameter A, Parameter B) Draw(LinearShape shape, LayerAdapter options)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (a, b) = scheme switch
        {
            InitLoraWeights.Gaussian => (Empty(options.R, shape.InFeatures).normal_(0, 1.0 / options.R, _generator), Zeros(shape, options)),
            InitLoraWeights.Random => (KaimingUniform(options.R, shape.InFeatures), KaimingUniform(shape.OutFeatures, options.R)),
            InitLoraWeights.Orthogonal => Orthogonal(shape, options.R),
            InitLoraWeights.Pissa or InitLoraWeights.Olora => BaseFactors.Of(scheme, shape, options),
            _ => (KaimingUniform(options.R, shape.InFeatures), Zeros(shape, options)),
        };
        return (Place(a, shape.Weight), Place(b, shape.Weight));
    }

    /// <summary>Makes the bias of B: zero, but for <see cref="InitLoraWeights.Random"/>, which draws it as a new linear layer does.</summary>
    /// <returns>[out], in no dispose scope; the caller owns it.</returns>
    /// <remarks>peft leaves it drawn with its newer schemes too, where the model would not start unchanged.</remarks>
    public Parameter DrawBias(LinearShape shape, int rank)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var bias = scheme == InitLoraWeights.Random
            ? Uniform(1 / Math.Sqrt(rank), shape.OutFeatures)
            : zeros([shape.OutFeatures], ScalarType.Float32, CPU);
        return Place(bias, shape.Weight);
    }

    /// <summary>Makes a pair for an embedding: A zero and B from N(0, 1), or both from N(0, 1) with <see cref="InitLoraWeights.Random"/>.</summary>
    /// <param name="weight">[entries, width] of the embedding.</param>
    /// <param name="rank">r.</param>
    /// <returns>A [r, entries] and B [width, r], in no dispose scope; the caller owns them.</returns>
    public (Parameter A, Parameter B) DrawEmbedding(Tensor weight, int rank)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var a = scheme == InitLoraWeights.Random ? Normal(rank, weight.shape[0]) : zeros([rank, weight.shape[0]], ScalarType.Float32, CPU);
        return (Place(a, weight), Place(Normal(weight.shape[1], rank), weight));
    }

    /// <inheritdoc/>
    public void Dispose() => _generator?.Dispose();

    // Odd and even rows of an orthogonal matrix are orthogonal to each other, so that B·A = Y·Q_even·Q_oddᵀ·X = 0.
    private (Tensor A, Tensor B) Orthogonal(LinearShape shape, int rank)
    {
        var (q, _) = linalg.qr(Normal(rank, rank));
        var a = Normal(shape.InFeatures, rank / 2).matmul(EveryOther(q, 0)).t().div(10);
        var b = Normal(shape.OutFeatures, rank / 2).matmul(EveryOther(q, 1)).div(10);
        return (a, b);
    }

    private static Tensor EveryOther(Tensor matrix, long first) => matrix.index_select(0, arange(first, matrix.shape[0], 2));

    // kaiming_uniform_ with a = √5: ±√(6 / ((1 + 5)·fan_in)) = ±1/√fan_in.
    private Tensor KaimingUniform(long rows, long columns) => Uniform(1 / Math.Sqrt(columns), rows, columns);

    private Tensor Uniform(double bound, params long[] shape) => Empty(shape).uniform_(-bound, bound, _generator);

    private Tensor Normal(params long[] shape) => Empty(shape).normal_(0, 1, _generator);

    private static Tensor Empty(params long[] shape) => empty(shape, ScalarType.Float32, CPU);

    private static Tensor Zeros(LinearShape shape, LayerAdapter options) => zeros([shape.OutFeatures, options.R], ScalarType.Float32, CPU);

    private static Parameter Place(Tensor matrix, Tensor weight)
    {
        var dtype = weight.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? ScalarType.Float32 : weight.dtype;
        return (Parameter)matrix.to(dtype, weight.device).contiguous().AsParameter().DetachFromDisposeScope();
    }
}
