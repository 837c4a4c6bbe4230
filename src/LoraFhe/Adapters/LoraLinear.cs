using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>A frozen linear layer with a low-rank adapter beside it: y = base(x) + s·B·A·dropout(x).</summary>
/// <remarks>
/// <para>
/// LoRA (arXiv 2106.09685) learns the change of a weight as a product of rank r: W' = W + s·B·A with A [r, in], B [out, r] and s = α/r, or
/// α/√r with rsLoRA (arXiv 2312.03732). Only A and B are trained. B starts at zero, so y starts as base(x). For a weight stored
/// [in, out] (<see cref="Conv1D"/>) A and B keep these shapes.
/// </para>
/// <para>
/// Children are named as peft's: <c>base_layer</c>, <c>lora_dropout</c>, <c>lora_A</c>, <c>lora_B</c>, the last three with a child <c>default</c>.
/// Hybrid training replaces <c>base_layer</c>. Not thread-safe.
/// </para>
/// </remarks>
public sealed class LoraLinear : nn.Module<Tensor, Tensor>
{
    // Not readonly in spirit: hybrid training stores another module here, by the field.
    [ComponentName(Name = PeftNames.BaseLayer)]
    private readonly nn.Module<Tensor, Tensor> _baseLayer;

    [ComponentName(Name = PeftNames.Dropout)]
    private readonly AdapterContainer<nn.Module<Tensor, Tensor>> _loraDropout;

    [ComponentName(Name = PeftNames.LoraA)]
    private readonly AdapterContainer<Linear> _loraA;

    [ComponentName(Name = PeftNames.LoraB)]
    private readonly AdapterContainer<Linear> _loraB;

    private readonly Scalar _scale;

    /// <param name="baseLayer">A <see cref="Linear"/> or <see cref="Conv1D"/>; owned from now on.</param>
    /// <param name="a">[r, in]; owned from now on.</param>
    /// <param name="b">[out, r], of the same type; owned from now on.</param>
    /// <param name="alpha">α.</param>
    /// <param name="scaling">s.</param>
    /// <param name="dropout">The probability of dropping an element of the input in training, in [0, 1).</param>
    internal LoraLinear(nn.Module<Tensor, Tensor> baseLayer, Parameter a, Parameter b, double alpha, double scaling, double dropout)
        : base(nameof(LoraLinear))
    {
        _baseLayer = baseLayer;
        _loraDropout = new(PeftNames.Dropout, dropout > 0 ? nn.Dropout(dropout) : nn.Identity());
        _loraA = new(PeftNames.LoraA, nn.Linear(a));
        _loraB = new(PeftNames.LoraB, nn.Linear(b));
        (R, LoraAlpha, Scaling, LoraDropout) = ((int)a.shape[0], alpha, scaling, dropout);
        (InFeatures, OutFeatures) = (a.shape[1], b.shape[0]);
        _scale = scaling;
        RegisterComponents();
        train(baseLayer.training);
    }

    /// <summary>The frozen layer, or what hybrid training put in its place. Owned by this module.</summary>
    public nn.Module<Tensor, Tensor> BaseLayer => _baseLayer;

    /// <summary>A, [r, in], without bias. Owned by this module.</summary>
    public Linear LoraA => _loraA.Default;

    /// <summary>B, [out, r], without bias. Owned by this module.</summary>
    public Linear LoraB => _loraB.Default;

    /// <summary>The rank r.</summary>
    public int R { get; }

    /// <summary>α.</summary>
    public double LoraAlpha { get; }

    /// <summary>s, what the adapter's output is multiplied by: α/r or α/√r.</summary>
    public double Scaling { get; }

    /// <summary>The probability with which an element of the adapter's input is dropped in training.</summary>
    public double LoraDropout { get; }

    /// <summary>Columns of the input.</summary>
    public long InFeatures { get; }

    /// <summary>Columns of the output.</summary>
    public long OutFeatures { get; }

    /// <summary>base(x) + s·B·A·dropout(x).</summary>
    /// <param name="input">[..., in].</param>
    /// <returns>[..., out], of the base layer's output type. The caller disposes it.</returns>
    /// <exception cref="ArgumentException">The input's last dimension is not <see cref="InFeatures"/>.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.dim() == 0 || input.shape[^1] != InFeatures)
        {
            throw new ArgumentException(Errors.LoraInputShape(input.shape, InFeatures), nameof(input));
        }

        using var frozen = _baseLayer.call(input);

        // An adapter of a half-precision layer is kept in single precision, as peft keeps it.
        using var own = LoraA.weight.dtype == input.dtype ? input.alias() : input.to_type(LoraA.weight.dtype);
        using var kept = _loraDropout.Default.call(own);
        using var low = LoraA.call(kept);
        using var high = LoraB.call(low);
        if (high.dtype == frozen.dtype)
        {
            return frozen.add(high, _scale);
        }

        using var sum = frozen.add(high, _scale);
        return sum.to_type(frozen.dtype);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _scale.Dispose();
        }

        base.Dispose(disposing);
    }
}
