using System.Globalization;
using Microsoft.Extensions.Logging;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>A model with LoRA adapters: peft's <c>get_peft_model</c>, <c>save_pretrained</c> and <c>PeftModel.from_pretrained</c>.</summary>
/// <remarks>
/// The model is changed in place; this module around it gives its parameters peft's names, such as
/// <c>base_model.model.fc1.lora_A.default.weight</c>. It has no <c>forward</c> of its own: call <see cref="Model"/>, or hand this module to a
/// trainer. Disposing it disposes the model. Not thread-safe.
/// </remarks>
public sealed partial class LoraModel : nn.Module
{
    [ComponentName(Name = PeftNames.BaseModel)]
    private readonly AdaptedModel _baseModel;

    private readonly OrderedDictionary<string, LoraConfig> _configs = new(StringComparer.Ordinal);

    // By name: moving a model to another device or type makes new parameters.
    private readonly Dictionary<string, bool> _trainableBefore;

    private readonly ILogger? _logger;
    private bool _isTrainable;
    private bool _isUnloaded;

    private LoraModel(nn.Module model, AdapterPlan plan, string adapter, long? seed, ILogger? logger) : base(nameof(LoraModel))
    {
        _logger = logger;
        _trainableBefore = model.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter.requires_grad, StringComparer.Ordinal);
        foreach (var parameter in model.parameters())
        {
            parameter.requires_grad = false;
        }

        plan.Carry(adapter, seed);
        _configs.Add(adapter, plan.Config);
        _baseModel = new AdaptedModel(model);
        RegisterComponents();
        FindPlaces();
        ActiveAdapter = adapter;
        Activate(adapter, isTrainable: true, isEnabled: true);
    }

    /// <summary>The user's model, its target layers replaced by <see cref="LoraLayer"/>s.</summary>
    /// <exception cref="InvalidOperationException">It was unloaded.</exception>
    public nn.Module Model => _isUnloaded ? throw new InvalidOperationException(Errors.Unloaded()) : _baseModel.Model;

    /// <summary>The options in effect of each adapter by its name, in the order they came: targets resolved to names,
    /// <see cref="LoraConfig.FanInFanOut"/> found from the layers.</summary>
    public IReadOnlyDictionary<string, LoraConfig> PeftConfig => _configs;

    /// <summary>The active adapter's options.</summary>
    public LoraConfig Config => _configs[ActiveAdapter];

    /// <summary>The layers with adapters, in registration order. Not every layer need have every adapter.</summary>
    public IReadOnlyList<AdaptedLayer> AdaptedLayers { get; private set; } = [];

    /// <summary>The layers with adapters and the modules trained whole, in registration order, by their dotted names in the user's model.</summary>
    internal IReadOnlyList<(string Name, IAdapterPlace Place)> Places { get; private set; } = [];

    /// <summary>Puts an adapter beside each target layer of a model, in place, and freezes everything else.</summary>
    /// <param name="model">The user's model. Owned by the result from now on; on an exception it is unchanged.</param>
    /// <param name="config">What adapters it gets.</param>
    /// <param name="seed">Draws the adapters' initial values from a generator of their own; null: from torch's global one.</param>
    /// <param name="logger">Gets a warning for each target that matches nothing, shares its weight or could not be merged, and later for each call that has no effect; null: nobody does.</param>
    /// <param name="adapterName">What the adapter is called: a name without dots or characters that no path can have.</param>
    /// <returns>The module around the model; the adapter is active and trainable.</returns>
    /// <exception cref="ArgumentException"><paramref name="config"/> or the name is faulty, or no layer, or something that is none, matches its
    /// targets, or a layer cannot start as <see cref="LoraConfig.InitLoraWeights"/> asks, or modules trained whole lie in each other.</exception>
    /// <exception cref="InvalidOperationException">The model has adapters already.</exception>
    /// <exception cref="NotSupportedException">A target is shared with a model that has replaced it and is held by a field that cannot hold an
    /// adapter, or a module trained whole is, or that one cannot be copied, or a weight that the adapter would change is tied; the message
    /// names the cure.</exception>
    /// <remarks>A layer in a field that cannot hold an adapter, such as one typed <c>Linear</c>, stays there and hands its calls to the
    /// adapter. That works for calls by <c>.call(...)</c> only: a model that uses <c>.forward(...)</c>, or the layer's weight, computes without
    /// the adapter. Training finds this at its first batch; this method cannot.</remarks>
    public static LoraModel Apply(
        nn.Module model, LoraConfig config, long? seed = null, ILogger? logger = null, string adapterName = PeftNames.Adapter)
    {
        var adapted = ApplyCore(model, config, seed, logger, adapterName);
        adapted.TakeInitial();
        return adapted;
    }

    // As Apply, but adapters that are to take their first values out of the weights have not done so.
    private static LoraModel ApplyCore(nn.Module model, LoraConfig config, long? seed, ILogger? logger, string adapterName)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(config);
        EnsureAdapterName(adapterName);
        config.EnsureValid(nameof(config));
        LibTorch.EnsureSupported();
        if (ModuleSurgery.Descendants(model).FirstOrDefault(place => place.Module is LoraLayer).Name is { } adapted)
        {
            throw new InvalidOperationException(Errors.AlreadyAdapted(model.GetType(), adapted));
        }

        return new LoraModel(model, AdapterPlan.Make(model, config, logger), adapterName, seed, logger);
    }

    /// <summary>Puts a saved adapter on a model, in place.</summary>
    /// <param name="model">The model the adapter was trained on, without adapters. Owned by the result from now on; on an exception it is unchanged.</param>
    /// <param name="folder">The folder that peft or <see cref="SavePretrained"/> wrote.</param>
    /// <param name="isTrainable">Whether the adapter is to be trained on; false, peft's default: it is frozen like the rest.</param>
    /// <param name="logger">Gets a warning for each unknown key of the configuration and each target that matches nothing.</param>
    /// <param name="adapterName">What the adapter is called.</param>
    /// <returns>The module around the model; the adapter is active.</returns>
    /// <exception cref="ArgumentException">The name is faulty.</exception>
    /// <exception cref="FileNotFoundException">A file of the folder is missing.</exception>
    /// <exception cref="InvalidDataException">A file is faulty, does not fit the model, lacks a tensor or has one too many, or asks for
    /// something that is not supported.</exception>
    /// <exception cref="InvalidOperationException">The model has adapters already.</exception>
    /// <exception cref="NotSupportedException">As in <see cref="Apply"/>.</exception>
    public static LoraModel FromPretrained(
        nn.Module model, string folder, bool isTrainable = false, ILogger? logger = null, string adapterName = PeftNames.Adapter)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        EnsureAdapterName(adapterName);
        var config = PeftConfigReader.Read(Path.Combine(folder, PeftNames.ConfigFile), logger);
        LoraModel wrapper;
        try
        {
            wrapper = ApplyCore(model, config, seed: 0, logger, adapterName);
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException(Errors.InFile(PeftNames.ConfigFile, exception.Message), exception);
        }

        try
        {
            AdapterFile.Load(wrapper, adapterName, Path.Combine(folder, PeftNames.WeightsFile));
        }
        catch
        {
            wrapper.Detach(merged: []);
            throw;
        }

        wrapper.Activate(adapterName, isTrainable, isEnabled: true);
        return wrapper;
    }

    /// <summary>Writes adapters as peft does: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>, each at once or not at all. The
    /// adapter <c>default</c> goes to the folder itself, every other to a folder of its name below.</summary>
    /// <param name="folder">Made if it does not exist; files of the same names are replaced.</param>
    /// <param name="adapterNames">Which; null: all.</param>
    /// <param name="saveEmbeddingLayers">Whether the model's own weights of <c>embed_tokens</c> and <c>lm_head</c> are written where an adapter's
    /// targets name them (peft's <c>"auto"</c>); false: never.</param>
    /// <param name="convertToLora">Whether an adapter that took its first values out of the weights (<see cref="InitLoraWeights.Pissa"/>,
    /// <see cref="InitLoraWeights.Olora"/>) is written as plain LoRA of twice the rank, for the model as it was (peft's
    /// <c>path_initial_model_for_weight_conversion</c>). The model's own weights are not written then.</param>
    /// <exception cref="ArgumentException">There is no adapter of a name. Nothing was written.</exception>
    /// <exception cref="InvalidOperationException">An adapter that is to be converted is plain LoRA, or the model was unloaded. Nothing was written.</exception>
    /// <exception cref="IOException">The folder or a file cannot be written; the text names it.</exception>
    public void SavePretrained(
        string folder, IReadOnlyCollection<string>? adapterNames = null, bool saveEmbeddingLayers = true, bool convertToLora = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var names = Known(adapterNames ?? AdapterNames, nameof(adapterNames));
        if (convertToLora && names.Find(name => !BaseFactors.ChangeBase(_configs[name].InitLoraWeights)) is { } plain)
        {
            throw new InvalidOperationException(Errors.NothingToConvert(plain));
        }

        foreach (var adapter in names)
        {
            var own = MakeFolder(adapter == PeftNames.Adapter ? folder : Path.Combine(folder, adapter));
            var (weightsFile, configFile) = (Path.Combine(own, PeftNames.WeightsFile), Path.Combine(own, PeftNames.ConfigFile));
            if (convertToLora)
            {
                AdapterFile.Write(PlainLora.Tensors(this, adapter), weightsFile);
                PeftConfigWriter.Write(PlainLora.Of(_configs[adapter]), configFile);
            }
            else
            {
                AdapterFile.Save(this, adapter, saveEmbeddingLayers, weightsFile);
                PeftConfigWriter.Write(_configs[adapter], configFile);
            }
        }
    }

    private static string MakeFolder(string folder)
    {
        try
        {
            return Directory.CreateDirectory(folder).FullName;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new IOException(Errors.FolderUnusable(nameof(folder), folder, exception.Message), exception);
        }
    }

    /// <summary>The parameters that training changes, each once, in the order of <c>named_parameters</c>: what an optimizer takes.</summary>
    /// <returns>A list; the parameters belong to the model. Ask again after moving the model to another device or type.</returns>
    public IReadOnlyList<Parameter> TrainableParameters() =>
        [.. DistinctParameters.Of(named_parameters()).Select(entry => entry.Parameter).Where(parameter => parameter.requires_grad)];

    /// <summary>How many numbers training changes, and how many the model has, adapters included; tied weights count once.</summary>
    public (long Trainable, long All) GetNbTrainableParameters()
    {
        var (trainable, all) = (0L, 0L);
        foreach (var (_, parameter) in DistinctParameters.Of(named_parameters()))
        {
            var count = parameter.numel();
            all += count;
            trainable += parameter.requires_grad ? count : 0;
        }

        return (trainable, all);
    }

    /// <summary>Prints the line that peft prints: <c>trainable params: 5,760 || all params: 76,272 || trainable%: 7.5519</c>.</summary>
    /// <param name="writer">Where to; null: the console.</param>
    public void PrintTrainableParameters(TextWriter? writer = null)
    {
        var (trainable, all) = GetNbTrainableParameters();
        (writer ?? Console.Out).WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"trainable params: {trainable:N0} || all params: {all:N0} || trainable%: {100.0 * trainable / all:F4}"));
    }

    /// <inheritdoc/>
    protected override void _toEpilog(ScalarType? dtype, Device? device, bool non_blocking)
    {
        base._toEpilog(dtype, device, non_blocking);
        LayerHook.ShareWeights(this);
    }

    /// <summary>Takes the first values of an adapter that starts so out of the weights, once (<see cref="BaseFactors"/>).</summary>
    internal void TakeInitial()
    {
        foreach (var layer in AdaptedLayers.Select(entry => entry.Layer).OfType<LoraLinear>())
        {
            layer.TakeInitial();
        }
    }

    // What counts is the whole model, as it was found.
    private void FindPlaces()
    {
        Places = [.. ModuleSurgery.Descendants(Model).Where(place => place.Module is IAdapterPlace).Select(place => (place.Name, (IAdapterPlace)place.Module))];
        AdaptedLayers = [.. Places.Where(entry => entry.Place is LoraLayer).Select(entry => new AdaptedLayer(entry.Name, (LoraLayer)entry.Place))];
    }

    // peft's mark_only_lora_as_trainable.
    private void Activate(string adapter, bool isTrainable, bool isEnabled)
    {
        (ActiveAdapter, _isTrainable, IsEnabled) = (adapter, isTrainable, isEnabled);
        foreach (var (_, place) in Places)
        {
            place.Activate(adapter, isEnabled);
        }

        foreach (var name in AdapterNames)
        {
            RequireGradients(name, name == adapter && isTrainable && isEnabled);
        }
    }

    private void RequireGradients(string adapter, bool required)
    {
        foreach (var parameter in AdapterParameters.Of(this, adapter).Values)
        {
            parameter.requires_grad = required;
        }
    }
}
