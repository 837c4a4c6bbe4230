using LoraFhe.Cryptography;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>One compilation: quantize, calibrate. It changes nothing of the model.</summary>
internal sealed class HybridCompilation
{
    private readonly nn.Module _model;
    private readonly BackwardFault _fault;
    private readonly HybridSession _session;
    private readonly HybridCompileOptions _options;
    private readonly IProgress<FheProgress>? _progress;
    private readonly SharedInputs _inputs = new();

    public HybridCompilation(
        nn.Module model,
        IReadOnlyList<RemoteModule> modules,
        BackwardFault fault,
        HybridSession session,
        HybridCompileOptions options,
        IProgress<FheProgress>? progress)
    {
        _model = model;
        _fault = fault;
        _session = session;
        _options = options;
        _progress = progress;
        Groups = FrozenGroup.Find(modules);
    }

    /// <summary>The hash of the layers that a cleared model was made with; null for a model that has its own.</summary>
    public string? ExpectedLayers { get; init; }

    /// <summary>The model's frozen layers.</summary>
    public IReadOnlyList<FrozenGroup> Groups { get; }

    /// <summary>Quantizes every layer, or takes those that were given, then asks the calibration batch what it needs.</summary>
    /// <returns>The products, in the order of the first of <see cref="Groups"/> that each computes: one for layers that share an input.</returns>
    /// <exception cref="ArgumentException">A layer that was given does not fit, or a weight is not finite.</exception>
    public IReadOnlyList<CompiledLayer> Run(Action calibrate, CancellationToken cancellationToken)
    {
        var weights = _options.FrozenLayers is { } given ? GivenLayers.For(Groups, given, ExpectedLayers) : Quantize(cancellationToken);
        var calibrations = Groups.Select((group, i) => Calibration(group, weights[i], i)).ToList();
        try
        {
            _progress?.Report(new FheProgress(FheStage.Calibrate, "", 0, 1));
            Calibrate(calibrate, calibrations);
            _progress?.Report(new FheProgress(FheStage.Calibrate, "", 1, 1));
            return JointLayers.Compile(Groups, calibrations, _inputs.Groups(), _options.UseDynamicQuantization);
        }
        finally
        {
            calibrations.ForEach(calibration => calibration.Dispose());
        }
    }

    private List<QuantizedLayer> Quantize(CancellationToken cancellationToken)
    {
        var modelId = _options.ModelId ?? UserModel().GetType().Name;
        var layers = new List<QuantizedLayer>();
        foreach (var group in Groups)
        {
            cancellationToken.ThrowIfCancellationRequested();
            layers.Add(LayerQuantizer.Quantize(modelId, group.Name, group.Weight!.Value, _options.Bits));
            _progress?.Report(new FheProgress(FheStage.Quantize, group.Name, layers.Count, Groups.Count));
        }

        return layers;
    }

    // Without a float weight the integers compute the calibration batch.
    private FrozenCalibration Calibration(FrozenGroup group, QuantizedLayer weights, int place) => new(weights, group.Weight is not null ? null
        : FrozenShare.Whole(new FrozenLayer(new FheLayer(weights) { NeedsForward = false, NeedsBackward = false }, _session), () => group.Bias),
        input => _inputs.Note(place, input));

    private void Calibrate(Action calibrate, List<FrozenCalibration> calibrations)
    {
        using var snapshot = new ModelSnapshot(_model);
        Watch(calibrations);
        try
        {
            // Custom autograd functions want a scope around forward and backward.
            using var scope = NewDisposeScope();
            calibrate();
            _fault.ThrowIfCaught();
        }
        finally
        {
            Watch(null);
        }
    }

    private void Watch(List<FrozenCalibration>? calibrations)
    {
        for (var i = 0; i < Groups.Count; i++)
        {
            foreach (var module in Groups[i].Modules)
            {
                module.Calibrate(calibrations?[i]);
            }
        }
    }

    // Wrappers are ours; bindings name the user's model.
    private nn.Module UserModel()
    {
        var model = _model;
        while (model is LoraTraining or LoraModel or AdaptedModel && model.named_children().FirstOrDefault().module is { } inner)
        {
            model = inner;
        }

        return model;
    }
}
