using LoraFhe.Cryptography;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>
/// Stands where a frozen layer, or one half of a <see cref="CustomLinear"/>, was, and computes its products as the mode says. The original
/// is its child <c>private_module</c>.
/// </summary>
/// <remarks>Made by <see cref="HybridFheModel"/>, which sets the mode. Not thread-safe.</remarks>
public sealed class RemoteModule : nn.Module<Tensor, Tensor>, IBackwardFaultSource
{
    [ComponentName(Name = "private_module")]
    private nn.Module<Tensor, Tensor>? _privateModule;

    // Columns of the input; 0 for a module that is no linear layer.
    private readonly long _features;

    private FrozenLayer? _layer;
    private FrozenCalibration? _calibration;

    internal RemoteModule(string remoteName, nn.Module<Tensor, Tensor> privateModule, BackwardFault fault) : base(nameof(RemoteModule))
    {
        RemoteName = remoteName;
        _privateModule = privateModule;
        if (FrozenLinear.Of(privateModule) is { Weight: var weight })
        {
            _features = OnlyDirection == LayerDirection.Backward ? weight.OutFeatures : weight.InFeatures;
        }

        ((IBackwardFaultSource)this).Fault = fault;
        RegisterComponents();
        train(privateModule.training);
    }

    /// <summary>The name under which the model was told to make this module remote.</summary>
    public string RemoteName { get; }

    /// <summary>How products are computed; the <see cref="HybridFheModel"/> sets it.</summary>
    public HybridFheMode Mode { get; internal set; } = HybridFheMode.Torch;

    /// <summary>The module whose place this took; null once <see cref="HybridFheModel.SaveAndClearPrivateInfo"/> has cleared it.</summary>
    public nn.Module<Tensor, Tensor>? PrivateModule => _privateModule;

    BackwardFault IBackwardFaultSource.Fault { get; set; } = new();

    /// <summary>The only product this module computes; null: both, as a whole linear layer.</summary>
    internal LayerDirection? OnlyDirection => _privateModule switch
    {
        ForwardModuleLinear => LayerDirection.Forward,
        BackwardModuleLinear => LayerDirection.Backward,
        _ => null,
    };

    /// <summary>Computes the layer, or the half of it that this module stands for.</summary>
    /// <param name="input">[..., in] for a layer or a forward half, [..., out] for a backward half; floating point.</param>
    /// <returns>[..., out], or [..., in] for a backward half; of the input's type, on its device.</returns>
    /// <exception cref="InvalidOperationException">The mode needs the model compiled and it is not, or the layer was cleared.</exception>
    /// <exception cref="ArgumentException">The last dimension is not the layer's.</exception>
    /// <exception cref="NotFiniteNumberException">The input is not finite and the mode is not torch. Nothing was computed or sent.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (_features > 0 && (input.dim() == 0 || input.shape[^1] != _features))
        {
            throw new ArgumentException(Errors.ProductInputShape(RemoteName, OnlyDirection ?? LayerDirection.Forward, input.shape, _features), nameof(input));
        }

        if (OnlyDirection is { } direction)
        {
            return Product(input, direction);
        }

        if (Mode == HybridFheMode.Torch && _calibration is null)
        {
            return Private.call(input);
        }

        var fault = ((IBackwardFaultSource)this).Fault;
        fault.ThrowIfCaught();
        Tensor output;
        using (no_grad())
        {
            output = Product(input, LayerDirection.Forward);
        }

        return LinearFunction.Attach(input, output, gradient => Product(gradient, LayerDirection.Backward), fault);
    }

    /// <summary>Starts noting what calibration asks for; null stops it.</summary>
    internal void Calibrate(FrozenCalibration? calibration) => _calibration = calibration;

    /// <summary>Sets the quantized layer that the modes compute with; null for none.</summary>
    internal void Attach(FrozenLayer? layer) => _layer = layer;

    /// <summary>Lets go of the original and of the quantized layer.</summary>
    internal void Clear()
    {
        _privateModule = null;
        _layer = null;
        register_module("private_module", null!);
    }

    private nn.Module<Tensor, Tensor> Private => _privateModule ?? throw new InvalidOperationException(Errors.LayerCleared(RemoteName));

    private Tensor Product(Tensor rows, LayerDirection direction)
    {
        _calibration?.Record(rows, direction);
        if (Mode == HybridFheMode.Torch || _calibration is not null)
        {
            return FloatProduct(rows, direction);
        }

        var layer = _layer ?? throw new InvalidOperationException(
            _privateModule is null ? Errors.LayerCleared(RemoteName) : Errors.NotCompiled(RemoteName, Mode.ToPythonName()));
        return layer.Multiply(rows, direction, Mode);
    }

    private Tensor FloatProduct(Tensor rows, LayerDirection direction)
    {
        if (OnlyDirection is not null)
        {
            return Private.call(rows);
        }

        return direction == LayerDirection.Forward
            ? Private.call(rows)
            : (FrozenLinear.Of(Private) ?? throw new NotSupportedException(Errors.NotLinear(RemoteName, Private.GetType()))).Weight.Backward(rows);
    }
}
