using static TorchSharp.torch;

namespace LoraFhe.Tests.Hybrid;

/// <summary>A compiled hybrid model around <see cref="Branches"/>.</summary>
internal sealed class CompiledBranches : IDisposable
{
    private readonly IFheBackend _backend;

    public CompiledBranches(bool asTrained = true, Action<Branches, Tensor>? calibrate = null, IFheBackend? backend = null, HybridCompileOptions? options = null)
    {
        _backend = backend ?? new InProcessFheBackend();
        Model = asTrained ? new Branches().WithCustomLayers() : new Branches();
        Hybrid = new HybridFheModel(Model, Lora.GetRemoteNames(Model), _backend);
        Compile(calibrate, options);
    }

    public Branches Model { get; }

    public HybridFheModel Hybrid { get; }

    public Tensor Input { get; } = HybridData.Normal(5, 2, 3, Branches.Inputs);

    /// <summary>The names of the compiled products.</summary>
    public IEnumerable<string> Names => Hybrid.Layers.Select(layer => layer.Weights.Name);

    public void Compile(Action<Branches, Tensor>? calibrate, HybridCompileOptions? options = null) => Hybrid.CompileModel(
        () => (calibrate ?? ((model, x) => model.call(x).sum().backward()))(Model, Input.clone().requires_grad_()), options, cancellationToken: TestContext.Current.CancellationToken);

    /// <summary>The output, and the gradients of the input and the gate, in a mode.</summary>
    public IReadOnlyList<Tensor> Results(HybridFheMode mode) => Hybrid.Run(mode, () => Model.Results(Input));

    /// <summary>A calibration that gives each layer an input of its own.</summary>
    public static void Apart(Branches model, Tensor x) => Branches.Mix(model.Q.call(x), model.K.call(x * 1), model.V.call(x * 1)).sum().backward();

    public void Dispose()
    {
        Hybrid.Dispose();
        _backend.Dispose();
        Model.Dispose();
    }
}
