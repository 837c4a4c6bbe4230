using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>Root mean square normalization: w · x / √(mean(x²) + ε), the mean over the last dimension.</summary>
internal sealed class LlamaRmsNorm : nn.Module<Tensor, Tensor>, ICopyableModule
{
    private static readonly long[] LastDimension = [-1];

    private readonly double _epsilon;

    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    public LlamaRmsNorm(long width, double epsilon)
        : this(new Parameter(ones(width)), epsilon)
    {
    }

    private LlamaRmsNorm(Parameter weight, double epsilon)
        : base(nameof(LlamaRmsNorm))
    {
        _epsilon = epsilon;
        _weight = weight;
        RegisterComponents();
    }

    /// <inheritdoc/>
    public nn.Module<Tensor, Tensor> Copy() => new LlamaRmsNorm(new Parameter(_weight.detach().clone()), _epsilon);

    /// <param name="input">Floats [..., width].</param>
    /// <returns>Floats of the same shape.</returns>
    public override Tensor forward(Tensor input)
    {
        using var squares = input.square();
        using var mean = squares.mean(LastDimension, keepdim: true);
        using var variance = mean.add(_epsilon);
        using var scale = variance.rsqrt();
        using var normal = input * scale;
        return normal * _weight;
    }
}
