using LoraFhe.Cryptography;
using TorchSharp.Modules;
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

    // The original's, once that was cleared: biases stay with the data's owner.
    [ComponentName(Name = "bias")]
    private Parameter? _bias;

    // The type of an embedding's table, once that is gone.
    private ScalarType _tableType;

    private FrozenShare? _layer;
    private FrozenCalibration? _calibration;

    internal RemoteModule(string remoteName, nn.Module<Tensor, Tensor> privateModule, BackwardFault fault) : base(nameof(RemoteModule))
    {
        RemoteName = remoteName;
        _privateModule = privateModule;
        Part = PartOf(privateModule);
        if (FrozenLinear.Of(privateModule) is { Weight: var weight })
        {
            (InFeatures, OutFeatures) = (weight.InFeatures, weight.OutFeatures);
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

    /// <summary>Whether the bias of a whole layer gets a gradient if it asks for one: where an adapter trains it.</summary>
    internal bool TrainsBias { get; set; }

    /// <summary>What of its layer this module computes.</summary>
    internal FrozenPart Part { get; }

    /// <summary>Columns of the layer's input, or rows of an embedding's table; 0 for a module that is no layer.</summary>
    internal long InFeatures { get; }

    /// <summary>Columns of the layer's output; 0 for a module that is no layer.</summary>
    internal long OutFeatures { get; }

    /// <summary>The layer's bias, if it has one and this module adds it.</summary>
    internal Tensor? Bias => _bias ?? FrozenLinear.BiasOf(_privateModule);

    /// <summary>Computes the layer, or the half of it that this module stands for.</summary>
    /// <param name="input">[..., in] for a layer or a forward half, [..., out] for a backward half; floating point. For an embedding ids,
    /// integers of any shape.</param>
    /// <returns>[..., out], or [..., in] for a backward half; of the input's type, on its device. For an embedding [..., D], of the table's
    /// type, on the ids' device.</returns>
    /// <exception cref="InvalidOperationException">The mode needs the model compiled and it is not, or the layer was cleared.</exception>
    /// <exception cref="ArgumentException">The last dimension is not the layer's; or ids are no integers, or one has no row.</exception>
    /// <exception cref="NotFiniteNumberException">The input is not finite and the mode is not torch. Nothing was computed or sent.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Part switch
        {
            FrozenPart.Layer => Layer(Checked(input, LayerDirection.Forward)),
            FrozenPart.Forward => Product(Checked(input, LayerDirection.Forward), LayerDirection.Forward),
            FrozenPart.Backward => Product(Checked(input, LayerDirection.Backward), LayerDirection.Backward),
            FrozenPart.Embedding => Lookup(input),
            _ => InClear(input),
        };
    }

    /// <summary>Makes an output of this layer differentiable in its input, as <see cref="LinearFunction.Attach"/> does; with those of the layers that share the
    /// input, where there are any.</summary>
    internal Tensor AttachGradient(Tensor input, Tensor output, Func<Tensor, Tensor> backward, BackwardFault fault) =>
        _calibration is null && _layer is { } layer ? layer.Attach(input, output, backward, fault) : LinearFunction.Attach(input, output, backward, fault);

    /// <summary>Starts noting what calibration asks for; null stops it.</summary>
    internal void Calibrate(FrozenCalibration? calibration) => _calibration = calibration;

    /// <summary>Sets the quantized layer that the modes compute with; null for none.</summary>
    internal void Attach(FrozenShare? layer) => _layer = layer;

    /// <summary>The original's weight, in every form that the original holds it in; none once it was cleared.</summary>
    internal IEnumerable<Tensor> PrivateWeights() => FrozenLinear.Of(_privateModule) is { Weight.Weight: var weight }
        ? _privateModule!.parameters().Where(parameter => parameter.Handle != Bias?.Handle).Append(weight)
        : [];

    /// <summary>Which dimension of <see cref="PrivateWeights"/> counts outputs.</summary>
    internal int OutputDimension => FrozenLinear.Of(_privateModule) is { Weight.Transposed: true } ? 1 : 0;

    /// <summary>Lets go of the original, all but its bias, and of the quantized layer.</summary>
    internal void Clear()
    {
        _tableType = TableType;
        _bias = Bias as Parameter;
        _privateModule = null;
        _layer = null;
        register_module("private_module", null!);
        ConditionallyRegisterParameter("bias", _bias);
    }

    private static FrozenPart PartOf(nn.Module module) => module switch
    {
        ForwardModuleLinear => FrozenPart.Forward,
        BackwardModuleLinear => FrozenPart.Backward,
        Embedding => FrozenPart.Embedding,
        _ => FrozenLinear.Of(module) is null ? FrozenPart.Unknown : FrozenPart.Layer,
    };

    private nn.Module<Tensor, Tensor> Private => _privateModule ?? throw new InvalidOperationException(Errors.LayerCleared(RemoteName));

    // What the modes other than torch compute with.
    private FrozenShare Compiled => _layer ?? throw new InvalidOperationException(
        _privateModule is null ? Errors.LayerCleared(RemoteName) : Errors.NotCompiled(RemoteName, Mode.ToPythonName()));

    private ScalarType TableType => _privateModule is Embedding embedding ? FrozenEmbedding.Table(embedding).dtype : _tableType;

    /// <summary>What computes now: null for the original itself, which calibration uses too if it is there.</summary>
    internal (FrozenShare? Layer, HybridFheMode Mode) Computing => _calibration is not null ? (_calibration.StandIn, HybridFheMode.Disable)
        : Mode == HybridFheMode.Torch ? (null, Mode)
        : (Compiled, Mode);

    private Tensor Checked(Tensor rows, LayerDirection direction) => rows.dim() > 0 && rows.size(-1) == Features(direction)
        ? rows
        : throw new ArgumentException(Errors.ProductInputShape(RemoteName, direction, rows.shape, Features(direction)), nameof(rows));

    private long Features(LayerDirection direction) => direction == LayerDirection.Backward ? OutFeatures : InFeatures;

    private Tensor Layer(Tensor input)
    {
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

        var attached = AttachGradient(input, output, gradient => Product(gradient, LayerDirection.Backward), fault);
        return TrainsBias ? BiasGradient.Attach(attached, Bias) : attached;
    }

    private Tensor Product(Tensor rows, LayerDirection direction)
    {
        _calibration?.Record(rows, direction);
        var (layer, mode) = Computing;
        if (layer is not null)
        {
            return direction == LayerDirection.Forward ? layer.Forward(rows, mode) : layer.Backward(rows, mode);
        }

        return Part == FrozenPart.Layer && direction == LayerDirection.Backward
            ? FrozenLinear.Of(Private)!.Weight.Backward(rows)
            : Private.call(rows);
    }

    private Tensor Lookup(Tensor ids)
    {
        using var whole = FrozenEmbedding.Ids(ids, InFeatures, RemoteName);
        _calibration?.RecordLookup();
        var (layer, mode) = Computing;
        return layer is null ? Private.call(whole) : layer.Lookup(whole, mode, TableType);
    }

    private Tensor InClear(Tensor input) => Mode == HybridFheMode.Torch
        ? Private.call(input)
        : throw new InvalidOperationException(Errors.NotCompiled(RemoteName, Mode.ToPythonName()));
}
