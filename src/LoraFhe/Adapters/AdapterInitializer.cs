using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Draws the initial A and B of adapters, as peft 0.21's <c>LoraLayer.reset_lora_parameters</c>.</summary>
/// <param name="scheme">The distribution.</param>
/// <param name="seed">Of a generator of its own; null: torch's global one.</param>
internal sealed class AdapterInitializer(InitLoraWeights scheme, long? seed) : IDisposable
{
    private readonly Generator? _generator = seed is { } value ? new Generator(unchecked((ulong)value)) : null;

    /// <summary>Draws a pair for one layer, on its device, in its type; single precision where the layer has less, as peft keeps it.</summary>
    /// <returns>A [r, in] and B [out, r], in no dispose scope; the caller owns them.</returns>
    public (Parameter A, Parameter B) Draw(LinearShape shape, int rank)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var a = empty([rank, shape.InFeatures], ScalarType.Float32, CPU);
        var b = zeros([shape.OutFeatures, rank], ScalarType.Float32, CPU);
        switch (scheme)
        {
            case InitLoraWeights.Gaussian:
                a.normal_(0, 1.0 / rank, _generator);
                break;
            case InitLoraWeights.Random:
                KaimingUniform(a);
                KaimingUniform(b);
                break;
            default:
                KaimingUniform(a);
                break;
        }

        return (Place(a, shape.Weight), Place(b, shape.Weight));
    }

    /// <inheritdoc/>
    public void Dispose() => _generator?.Dispose();

    // kaiming_uniform_ with a = √5: ±√(6 / ((1 + 5)·fan_in)) = ±1/√fan_in.
    private void KaimingUniform(Tensor matrix)
    {
        var bound = 1 / Math.Sqrt(matrix.shape[1]);
        matrix.uniform_(-bound, bound, _generator);
    }

    private static Parameter Place(Tensor matrix, Tensor weight)
    {
        var dtype = weight.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? ScalarType.Float32 : weight.dtype;
        return (Parameter)matrix.to(dtype, weight.device).AsParameter().DetachFromDisposeScope();
    }
}
