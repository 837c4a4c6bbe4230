using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>A frozen linear layer with low-rank adapters beside it: y = base(x) + s·B·A·dropout(x) with the active adapter's A, B and s.</summary>
/// <remarks>
/// LoRA (arXiv 2106.09685) learns the change of a weight as a product of rank r: W' = W + s·B·A with A [r, in], B [out, r] and s = α/r, or
/// α/√r with rsLoRA (arXiv 2312.03732). Only A and B are trained. B starts at zero, so y starts as base(x). For a weight stored
/// [in, out] (<see cref="Conv1D"/>) A and B keep these shapes. With DoRA (<see cref="LoraConfig.UseDora"/>) each forward asks the base layer for W·Aᵀ too, unless
/// its float weight is at hand: r rows more in the same product; and where dropout acts, for W·dropout(x) beside W·x. Not thread-safe.
/// </remarks>
public sealed class LoraLinear : LoraLayer
{
    [ComponentName(Name = PeftNames.Dropout)]
    private readonly AdapterContainer<nn.Module<Tensor, Tensor>> _loraDropout = new(PeftNames.Dropout);

    [ComponentName(Name = PeftNames.LoraA)]
    private readonly AdapterContainer<Linear> _loraA = new(PeftNames.LoraA);

    [ComponentName(Name = PeftNames.LoraB)]
    private readonly AdapterContainer<Linear> _loraB = new(PeftNames.LoraB);

    private readonly string _layerName;

    // The active adapter's scaling, so that a forward makes none.
    private Scalar? _scale;

    // What the one adapter took out of the weight; until it has, it only is to.
    private InitialFactors? _initial;
    private bool _isTaken;

    /// <param name="baseLayer">A <see cref="Linear"/> or <see cref="Conv1D"/>; owned from now on.</param>
    /// <param name="shape">Its widths.</param>
    /// <param name="layerName">The layer's name in the model, for errors.</param>
    internal LoraLinear(nn.Module<Tensor, Tensor> baseLayer, LinearShape shape, string layerName)
        : base(nameof(LoraLinear), baseLayer, shape.InFeatures, shape.OutFeatures)
    {
        _layerName = layerName;
        RegisterComponents();
        train(baseLayer.training);
    }

    /// <summary>A of each adapter, [r, in], without bias. They are owned by this module.</summary>
    public IReadOnlyDictionary<string, Linear> LoraA => _loraA.Modules;

    /// <summary>B of each adapter, [out, r], without bias. They are owned by this module.</summary>
    public IReadOnlyDictionary<string, Linear> LoraB => _loraB.Modules;

    /// <summary>base(x) + s·B·A·dropout(x), with DoRA m/‖W + s·B·A‖ ∘ (W·x + s·B·A·x) and the bias, or base(x) while <see cref="LoraLayer.ActiveAdapter"/> is null.</summary>
    /// <param name="input">[..., in].</param>
    /// <returns>[..., out], of the base layer's output type. The caller disposes it.</returns>
    /// <exception cref="ArgumentException">The input's last dimension is not <see cref="LoraLayer.InFeatures"/>.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.dim() == 0 || input.size(-1) != InFeatures)
        {
            throw new ArgumentException(Errors.LoraInputShape(_layerName, input.shape, InFeatures), nameof(input));
        }

        return ActiveAdapter is { } adapter ? Adapters[adapter].UseDora ? AddWithDora(adapter, input) : Add(adapter, input)
            : _isTaken && MergedAdapters.Count == 0 ? AsBefore(input)
            : BaseLayer.call(input);
    }

    /// <summary>What the adapter took out of the base layer's weight when it was made, or null.</summary>
    internal InitialFactors? Initial => _isTaken ? _initial : null;

    /// <summary>Puts another adapter beside the layer.</summary>
    /// <param name="adapter">A name this layer does not have.</param>
    /// <param name="a">[r, in]; owned from now on.</param>
    /// <param name="b">[out, r], of the same type; owned from now on.</param>
    /// <param name="bias">[out] of B, of the same type, or null; owned from now on.</param>
    /// <param name="magnitude">m of DoRA, [out], or null; owned from now on.</param>
    /// <param name="options">How it acts.</param>
    internal void Add(string adapter, Parameter a, Parameter b, Parameter? bias, Parameter? magnitude, LayerAdapter options)
    {
        _loraDropout.Add(adapter, options.LoraDropout > 0 ? nn.Dropout(options.LoraDropout) : nn.Identity());
        _loraA.Add(adapter, nn.Linear(a));
        _loraB.Add(adapter, nn.Linear(b, bias));
        _loraDropout.train(training);
        Register(adapter, magnitude, options);
    }

    /// <summary>Notes that an adapter, the only one, is a part of the base layer's weight as it is now: <see cref="TakeInitial"/> takes it out.</summary>
    internal void KeepInitial(string adapter)
    {
        _initial = new InitialFactors(LoraA[adapter].weight, LoraB[adapter].weight, Adapters[adapter].Scaling);
        register_module(PeftNames.Initial, _initial);
    }

    /// <summary>Takes what <see cref="KeepInitial"/> noted out of the base layer's weight, in place.</summary>
    internal void TakeInitial()
    {
        if (_initial is not null && !_isTaken)
        {
            ChangeWeight(product => product.neg());
            _isTaken = true;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _scale?.Dispose();
        }

        base.Dispose(disposing);
    }

    private protected override IEnumerable<(string Name, Parameter Parameter)> ParametersOf(string adapter)
    {
        yield return ($"{PeftNames.LoraA}.weight", LoraA[adapter].weight);
        yield return ($"{PeftNames.LoraB}.weight", LoraB[adapter].weight);
        if (LoraB[adapter].bias is { } bias)
        {
            yield return ($"{PeftNames.LoraB}.bias", bias);
        }
    }

    private protected override void GiveBack()
    {
        if (_isTaken)
        {
            ChangeWeight(product => product);
            _isTaken = false;
        }
    }

    private protected override void RemoveCore(string adapter)
    {
        _loraDropout.Remove(adapter);
        _loraA.Remove(adapter);
        _loraB.Remove(adapter);
    }

    private protected override void OnActiveAdapterChanged()
    {
        _scale?.Dispose();
        _scale = ActiveAdapter is { } adapter ? Adapters[adapter].Scaling : null;
    }

    private protected override IEnumerable<ParameterChange> Changes(string adapter)
    {
        yield return ChangeOfWeight(adapter, () => WeightChange(adapter), LinearShape.Of(BaseLayer) is { IsTransposed: true } ? 1 : 0);
        if (LoraB[adapter].bias is { } bias)
        {
            yield return new(BiasName, () => bias.mul(Adapters[adapter].Scaling));
        }
    }

    // As peft's get_delta_weight: half-precision matrices are multiplied in single precision, which CPUs do faster.
    private Tensor WeightChange(string adapter)
    {
        var (a, b) = (LoraA[adapter].weight, LoraB[adapter].weight);
        var product = matmul(ToProduct(b), ToProduct(a)).mul(Adapters[adapter].Scaling).to(b.dtype);
        return AsWeight(product);
    }

    private Tensor AsWeight(Tensor product) => LinearShape.Of(BaseLayer) is { IsTransposed: true } ? product.t() : product;

    private void ChangeWeight(Func<Tensor, Tensor> change)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        BaseLayer.get_parameter(WeightName)!.add_(change(AsWeight(_initial!.Product())));
    }

    // The model without its adapter, whose first values are missing in the weight.
    private Tensor AsBefore(Tensor input)
    {
        using var scope = NewDisposeScope();
        var frozen = BaseLayer.call(input);
        return frozen.add(_initial!.Apply(input)).to(frozen.dtype).MoveToOuterDisposeScope();
    }

    private static Tensor ToProduct(Tensor matrix) =>
        matrix.device_type == DeviceType.CPU && matrix.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? matrix.to(ScalarType.Float32) : matrix;

    // As peft: W·x without its bias is given its new norm, then W·x with its bias is taken out of that again. In training dropout acts on W's input too.
    private Tensor AddWithDora(string adapter, Tensor input)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (LoraA[adapter], LoraB[adapter]);
        var frozen = BaseLayer.call(input);
        var isDropping = training && Adapters[adapter].LoraDropout > 0;
        var kept = _loraDropout.Modules[adapter].call(input.to(a.weight.dtype));
        var product = isDropping ? BaseLayer.call(kept.to(input.dtype)) : frozen;
        product = DoraBase.Bias(BaseLayer) is { } bias ? product - bias : product;
        var factor = DoraFactor(adapter, a.weight, b.weight);
        var change = (factor - 1) * product + factor * b.call(a.call(kept)) * _scale!;
        return (frozen + change).to(frozen.dtype).MoveToOuterDisposeScope();
    }

    private Tensor Add(string adapter, Tensor input)
    {
        var (a, b) = (LoraA[adapter], LoraB[adapter]);
        using var frozen = BaseLayer.call(input);

        // An adapter of a half-precision layer is kept in single precision, as peft keeps it.
        using var converted = a.weight.dtype == input.dtype ? null : input.to_type(a.weight.dtype);
        using var kept = Adapters[adapter].LoraDropout > 0 ? _loraDropout.Modules[adapter].call(converted ?? input) : null;
        using var low = a.call(kept ?? converted ?? input);
        using var high = b.call(low);
        if (high.dtype == frozen.dtype)
        {
            return frozen.add(high, _scale!);
        }

        using var sum = frozen.add(high, _scale!);
        return sum.to_type(frozen.dtype);
    }
}
