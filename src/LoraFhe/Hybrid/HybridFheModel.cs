using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>
/// A model some of whose frozen layers are computed elsewhere: each named module is replaced, in place, by a <see cref="RemoteModule"/> that
/// computes it as the mode says.
/// </summary>
/// <remarks>
/// <see cref="CompileModel(Action, HybridCompileOptions?, IProgress{FheProgress}?, CancellationToken)"/> must come before any mode but torch.
/// Disposing frees the compiled layers, and the backend if the model made it; the module stays the caller's, and computes in clear from then
/// on. Not thread-safe.
/// </remarks>
public sealed partial class HybridFheModel : IDisposable
{
    private readonly IReadOnlyList<RemoteModule> _modules;
    private readonly BackwardFault _fault = new();
    private readonly IFheBackend _backend;
    private readonly PreparedBackend _prepared;
    private readonly bool _ownsBackend;
    private readonly ILogger _logger;
    private readonly SimulatedErrors _errors = new(BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long))));
    private readonly SharedForward _shared = new();
    private IReadOnlyList<FrozenLayer> _layers = [];
    private HybridFheMode _mode = HybridFheMode.Torch;
    private bool _isDisposed;

    /// <summary>Replaces a model's modules, in place.</summary>
    /// <param name="model">Any module: a <see cref="LoraTraining"/>, or a plain model.</param>
    /// <param name="moduleNames">The dotted names to replace, such as <see cref="Lora.GetRemoteNames"/> gives.</param>
    /// <param name="backend">Computes the encrypted products, and stays the caller's; null: an <see cref="InProcessFheBackend"/> of its own.</param>
    /// <param name="logger">Takes warnings; null: none.</param>
    /// <exception cref="ArgumentException">There is no module of a name, or it takes something else than a tensor. Nothing was replaced.</exception>
    /// <exception cref="NotSupportedException">A module cannot be replaced where it is held, or is an embedding with <c>max_norm</c>; the text names the layer and
    /// the cure. Nothing was replaced.</exception>
    public HybridFheModel(nn.Module model, IEnumerable<string> moduleNames, IFheBackend? backend = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(moduleNames);
        Model = model;
        ModuleNames = [.. moduleNames.Distinct(StringComparer.Ordinal)];
        _ownsBackend = backend is null;
        _backend = backend ?? new InProcessFheBackend();
        _logger = logger ?? NullLogger.Instance;
        _prepared = new PreparedBackend(_backend, _logger);
        _modules = RemotePlacement.Carry(model, ModuleNames, _fault);
        BiasGradient.Allow(model);
    }

    /// <summary>The model that was given.</summary>
    public nn.Module Model { get; }

    /// <summary>The names of the replaced modules, in the order given, each once.</summary>
    public IReadOnlyList<string> ModuleNames { get; }

    /// <summary>The modules that took their place, in the same order.</summary>
    public IReadOnlyList<RemoteModule> RemoteModules => _modules;

    /// <summary>What computes execute's products.</summary>
    public IFheBackend Backend => _backend;

    /// <summary>Whether the modes other than torch can run.</summary>
    public bool IsCompiled { get; private set; }

    /// <summary>How the remote modules compute. It stays set until it is set again; at first it is torch.</summary>
    public HybridFheMode Mode
    {
        get => _mode;
        set
        {
            _ = value.ToPythonName();
            _shared.Release();
            _mode = value;
            foreach (var module in _modules)
            {
                module.Mode = value;
            }
        }
    }

    /// <summary>The compiled layers, as the backend got them, those that share an input as one; empty before compilation.</summary>
    public IReadOnlyList<FheLayer> Layers { get; private set; } = [];

    /// <summary>What seeds the errors of simulate; random at first.</summary>
    public long SimulationSeed => _errors.Seed;

    /// <summary>How many products simulate has drawn errors for. With the seed, it is all that a resumed run needs.</summary>
    public long SimulationPosition => _errors.Position;

    /// <summary>Seeds the errors of simulate. Neither torch's generator nor any secret depends on them.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="position">Where an earlier run stopped; 0 for a new one.</param>
    public void SeedSimulation(long seed, long position = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        _errors.Reset(seed, position);
    }

    /// <summary>Calls the model in a mode, which stays set.</summary>
    /// <param name="input">Its input.</param>
    /// <param name="fhe">The mode.</param>
    /// <returns>Its output.</returns>
    /// <exception cref="InvalidOperationException">The mode needs <see cref="CompileModel(Action, HybridCompileOptions?, IProgress{FheProgress}?, CancellationToken)"/> first, or the
    /// model does not take a <typeparamref name="TInput"/>.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of.</exception>
    public TResult Forward<TInput, TResult>(TInput input, HybridFheMode fhe = HybridFheMode.Disable) =>
        Run(fhe, () => Callable<TInput, TResult>().call(input));

    /// <summary>Runs anything that calls the model, in a mode, which stays set.</summary>
    /// <param name="fhe">The mode.</param>
    /// <param name="run">Calls the model; may run backward passes.</param>
    /// <returns>What it returned.</returns>
    /// <exception cref="InvalidOperationException">The mode needs <see cref="CompileModel(Action, HybridCompileOptions?, IProgress{FheProgress}?, CancellationToken)"/> first.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of.</exception>
    public TResult Run<TResult>(HybridFheMode fhe, Func<TResult> run)
    {
        ArgumentNullException.ThrowIfNull(run);
        EnsureReadyFor(fhe);
        Mode = fhe;
        var result = run();
        _fault.ThrowIfCaught();
        return result;
    }

    /// <summary>Compiles with one call of the model on a calibration batch. See the other overload.</summary>
    /// <param name="inputset">The batch; it stays the caller's.</param>
    /// <param name="options">Bits and scales; null: the defaults.</param>
    /// <param name="progress">Told of each layer.</param>
    /// <param name="cancellationToken">Stops between layers.</param>
    public void CompileModel<TInput, TResult>(
        TInput inputset, HybridCompileOptions? options = null, IProgress<FheProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var callable = Callable<TInput, TResult>();
        CompileModel(() => DisposeUnlessGiven(callable.call(inputset), inputset), options, progress, cancellationToken);
    }

    /// <summary>
    /// Quantizes every remote layer, and runs the model once to find which products are needed and how long their rows are. It leaves no trace in
    /// gradients, buffers or torch's generator. The backend is made ready later, by <see cref="PrepareExecute"/> or the first product of execute.
    /// </summary>
    /// <param name="calibrate">Calls the model once on a typical batch; with its backward pass, if the model will be trained.</param>
    /// <param name="options">Bits and scales; null: the defaults.</param>
    /// <param name="progress">Told of each layer; and, later, of each product that is made ready where <see cref="PrepareExecute"/> is given none.</param>
    /// <param name="cancellationToken">Stops between layers. What was compiled before stays.</param>
    /// <exception cref="ArgumentException">The options are wrong, a weight is not finite or leaves no room for its inputs, or <see cref="HybridCompileOptions.FrozenLayers"/> do not fit the model;
    /// the text names every fault.</exception>
    /// <exception cref="NotSupportedException">A remote module is neither a linear layer nor an embedding, or the model computed a replaced
    /// layer without its replacement; the text names the layers and the cure.</exception>
    /// <exception cref="InvalidOperationException">The model was cleared, and no <see cref="HybridCompileOptions.FrozenLayers"/> are given.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of.</exception>
    /// <exception cref="OperationCanceledException">The compilation was stopped.</exception>
    public void CompileModel(
        Action calibrate, HybridCompileOptions? options = null, IProgress<FheProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(calibrate);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        options ??= new HybridCompileOptions();
        if (options.Validate() is { Count: > 0 } faults)
        {
            throw new ArgumentException(string.Join(" ", faults), nameof(options));
        }

        if (IsCleared && options.FrozenLayers is null)
        {
            throw new InvalidOperationException(Errors.ModelCleared());
        }

        var session = new HybridSession(_prepared, _errors, _shared, _logger);
        var compilation = new HybridCompilation(Model, _modules, _fault, session, options, progress) { ExpectedLayers = _layersHash };
        var compiled = compilation.Run(() => ReachProbe.Run(Model, calibrate, _logger), cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        var layers = compiled.Select(product => product.Layer).ToList();
        var frozen = layers.ConvertAll(layer => new FrozenLayer(layer, session));
        _prepared.Expect(layers, progress);
        Attach(compiled, frozen);
        Layers = layers;
    }

    /// <summary>Makes the backend ready for execute, which takes time and memory (hints, evaluators); nothing, if it is ready. The first product of
    /// execute does it by itself: this is for telling progress, stopping it, and choosing when.</summary>
    /// <param name="progress">Told of each product; null: what was given to <see cref="CompileModel(Action, HybridCompileOptions?, IProgress{FheProgress}?, CancellationToken)"/>.</param>
    /// <param name="cancellationToken">Stops between products, or sooner. The other modes work on, and this can be called again.</param>
    /// <exception cref="InvalidOperationException">The model is not compiled.</exception>
    /// <exception cref="ObjectDisposedException">This was disposed of.</exception>
    /// <exception cref="OperationCanceledException">The preparation was stopped.</exception>
    /// <remarks>Whatever the backend's <see cref="IFheBackend.Prepare"/> throws comes as it is: where a hint folder was made for other weights or is
    /// damaged, an <see cref="InvalidDataException"/> that names the file.</remarks>
    public void PrepareExecute(IProgress<FheProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        EnsureReadyFor(HybridFheMode.Execute);
        _prepared.MakeReady(progress, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        Mode = HybridFheMode.Torch;
        foreach (var module in _modules)
        {
            module.Attach(null);
        }

        Release();
        Layers = [];
        IsCompiled = false;
        _errors.Dispose();
        if (_ownsBackend)
        {
            _backend.Dispose();
        }
    }

    private void EnsureReadyFor(HybridFheMode mode)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!IsCompiled && mode != HybridFheMode.Torch)
        {
            throw new InvalidOperationException(IsCleared ? Errors.ModelCleared() : Errors.ModelNotCompiled(mode.ToPythonName()));
        }
    }

    // A module may return what it was given, and that is the caller's.
    private static void DisposeUnlessGiven<TInput, TResult>(TResult result, TInput input)
    {
        if (!ReferenceEquals(result, input))
        {
            (result as IDisposable)?.Dispose();
        }
    }

    private nn.IModule<TInput, TResult> Callable<TInput, TResult>() => Model as nn.IModule<TInput, TResult>
        ?? throw new InvalidOperationException(Errors.NotCallableWith(Model.GetType(), typeof(TInput), typeof(TResult)));

    private void Attach(IReadOnlyList<CompiledLayer> compiled, IReadOnlyList<FrozenLayer> layers)
    {
        Release();
        _layers = layers;
        foreach (var (product, layer) in compiled.Zip(layers))
        {
            foreach (var (member, part) in product.Members.Zip(layer.Parts))
            {
                var share = new FrozenShare(layer, part, () => member.Bias);
                foreach (var module in member.Modules)
                {
                    module.Attach(share);
                }
            }
        }

        IsCompiled = true;
    }

    private void Release()
    {
        _shared.Release();
        foreach (var layer in _layers)
        {
            layer.Dispose();
        }

        _layers = [];
    }
}
