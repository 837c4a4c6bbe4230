using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>A frozen linear layer's float weight in either orientation, and its two products in clear.</summary>
/// <param name="Weight">[out, in], or [in, out] if <paramref name="Transposed"/>. Not owned.</param>
/// <param name="Transposed">Whether the weight is stored as GPT-2's <see cref="Conv1D"/> stores it.</param>
internal readonly record struct FrozenWeight(Tensor Weight, bool Transposed)
{
    /// <summary>Features the layer takes in.</summary>
    public long InFeatures => Weight.size(Transposed ? 0 : 1);

    /// <summary>Features the layer gives out.</summary>
    public long OutFeatures => Weight.size(Transposed ? 1 : 0);

    /// <summary>The parameter given, or a frozen one around a plain tensor's memory.</summary>
    /// <exception cref="ArgumentException">The weight has not two dimensions.</exception>
    public static Parameter AsParameter(Tensor weight, string parameterName)
    {
        ArgumentNullException.ThrowIfNull(weight, parameterName);
        if (weight.dim() != 2)
        {
            throw new ArgumentException(Errors.LinearWeightShape(weight.shape), parameterName);
        }

        return AsParameter(weight);
    }

    /// <summary>The parameter given, or a frozen one around a plain tensor's memory; null stays null.</summary>
    public static Parameter? AsBias(Tensor? bias, long outFeatures, string parameterName)
    {
        if (bias is null)
        {
            return null;
        }

        return bias.dim() == 1 && bias.size(0) == outFeatures
            ? AsParameter(bias)
            : throw new ArgumentException(Errors.LinearBiasShape(bias.shape, outFeatures), parameterName);
    }

    /// <summary><c>x·Wᵀ + b</c>, as an untouched layer computes it.</summary>
    /// <param name="input">[..., in].</param>
    /// <param name="bias">[out], or null.</param>
    /// <exception cref="ArgumentException">The last dimension is another.</exception>
    public Tensor Forward(Tensor input, Tensor? bias)
    {
        CheckWidth(input, InFeatures, nameof(input));
        if (!Transposed)
        {
            return nn.functional.linear(input, Weight, bias!);
        }

        using var transposed = Weight.t();
        return nn.functional.linear(input, transposed, bias!);
    }

    /// <summary><c>g·W</c>.</summary>
    /// <param name="gradient">[..., out].</param>
    /// <exception cref="ArgumentException">The last dimension is another.</exception>
    public Tensor Backward(Tensor gradient)
    {
        CheckWidth(gradient, OutFeatures, nameof(gradient));
        if (!Transposed)
        {
            return matmul(gradient, Weight);
        }

        using var transposed = Weight.t();
        return matmul(gradient, transposed);
    }

    /// <summary>Throws unless the last dimension is the one expected: inside libtorch a product of unlike shapes ends the process.</summary>
    public static void CheckWidth(Tensor rows, long features, string parameterName)
    {
        ArgumentNullException.ThrowIfNull(rows, parameterName);
        if (rows.dim() == 0 || rows.size(-1) != features)
        {
            throw new ArgumentException(Errors.LinearInputShape(rows.shape, features), parameterName);
        }
    }

    private static Parameter AsParameter(Tensor tensor) =>
        tensor as Parameter ?? (Parameter)new Parameter(tensor.detach(), requires_grad: false).DetachFromDisposeScope();
}
