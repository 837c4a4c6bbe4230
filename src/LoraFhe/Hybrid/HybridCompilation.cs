using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>One compilation: quantize, calibrate. It changes nothing of the model.</summary>
internal sealed class HybridCompilation
{
    private readonly nn.Module _model;
    private readonly BackwardFault _fault;
    private readonly HybridCompileOptions _options;
    private readonly IProgress<FheProgress>? _progress;

    public HybridCompilation(
        nn.Module model, IReadOnlyList<RemoteModule> modules, BackwardFault fault, HybridCompileOptions options, IProgress<FheProgress>? progress)
    {
        _model = model;
        _fault = fault;
        _options = options;
        _progress = progress;
        Groups = FrozenGroup.Find(modules);
    }

    /// <summary>The model's frozen layers.</summary>
    public IReadOnlyList<FrozenGroup> Groups { get; }

    /// <summary>Quantizes every layer, then asks the calibration batch what it needs.</summary>
    /// <returns>The layers, in the order of <see cref="Groups"/>.</returns>
    public IReadOnlyList<FheLayer> Run(Action calibrate, CancellationToken cancellationToken)
    {
        var calibrations = Quantize(cancellationToken);
        _progress?.Report(new FheProgress(FheStage.Calibrate, "", 0, 1));
        Calibrate(calibrate, calibrations);
        _progress?.Report(new FheProgress(FheStage.Calibrate, "", 1, 1));
        return [.. calibrations.Select(calibration => calibration.ToLayer(_options.UseDynamicQuantization))];
    }

    private List<FrozenCalibration> Quantize(CancellationToken cancellationToken)
    {
        var modelId = _options.ModelId ?? UserModel().GetType().Name;
        var calibrations = new List<FrozenCalibration>();
        foreach (var group in Groups)
        {
            cancellationToken.ThrowIfCancellationRequested();
            calibrations.Add(new FrozenCalibration(LayerQuantizer.Quantize(modelId, group.Name, group.Weight, _options.Bits)));
            _progress?.Report(new FheProgress(FheStage.Quantize, group.Name, calibrations.Count, Groups.Count));
        }

        return calibrations;
    }

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
