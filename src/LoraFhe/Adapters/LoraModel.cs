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
public sealed class LoraModel : nn.Module
{
    [ComponentName(Name = PeftNames.BaseModel)]
    private readonly AdaptedModel _baseModel;

    private readonly AdapterPlan _plan;

    private LoraModel(nn.Module model, AdapterPlan plan, long? seed) : base(nameof(LoraModel))
    {
        _plan = plan;
        _baseModel = new AdaptedModel(model);
        AdaptedLayers = plan.Carry(seed);
        RegisterComponents();
        Freeze();
    }

    /// <summary>The user's model, its target layers replaced by <see cref="LoraLinear"/>s.</summary>
    public nn.Module Model => _baseModel.Model;

    /// <summary>The options in effect: targets resolved to names, <see cref="LoraConfig.FanInFanOut"/> found from the layers.</summary>
    public LoraConfig Config => _plan.Config;

    /// <summary>The layers with adapters, in registration order.</summary>
    public IReadOnlyList<AdaptedLayer> AdaptedLayers { get; }

    /// <summary>Puts an adapter beside each target layer of a model, in place, and freezes everything else.</summary>
    /// <param name="model">The user's model. Owned by the result from now on; on an exception it is unchanged.</param>
    /// <param name="config">What adapters it gets.</param>
    /// <param name="seed">Draws the adapters' initial values from a generator of their own; null: from torch's global one.</param>
    /// <param name="logger">Gets a warning for each target that matches nothing; null: nobody does.</param>
    /// <returns>The module around the model.</returns>
    /// <exception cref="ArgumentException"><paramref name="config"/> is faulty, or no linear layer, or something that is no linear layer,
    /// matches its targets.</exception>
    /// <exception cref="InvalidOperationException">The model has adapters already.</exception>
    /// <exception cref="NotSupportedException">A target is held by a field that cannot hold an adapter, or the task needs modules trained
    /// whole; the message names the cure.</exception>
    public static LoraModel Apply(nn.Module model, LoraConfig config, long? seed = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(config);
        config.EnsureValid(nameof(config));
        LibTorch.EnsureSupported();

        return new LoraModel(model, AdapterPlan.Make(model, config, logger), seed);
    }

    /// <summary>Puts a saved adapter on a model, in place.</summary>
    /// <param name="model">The model the adapter was trained on, without adapters. Owned by the result from now on; on an exception it is unchanged.</param>
    /// <param name="folder">The folder that peft or <see cref="SavePretrained"/> wrote.</param>
    /// <param name="isTrainable">Whether the adapter is to be trained on; false, peft's default: it is frozen like the rest.</param>
    /// <param name="logger">Gets a warning for each unknown key of the configuration and each target that matches nothing.</param>
    /// <returns>The module around the model.</returns>
    /// <exception cref="FileNotFoundException">A file of the folder is missing.</exception>
    /// <exception cref="InvalidDataException">A file is faulty, does not fit the model, lacks a tensor or has one too many, or asks for
    /// something that is not supported.</exception>
    /// <exception cref="InvalidOperationException">The model has adapters already.</exception>
    /// <exception cref="NotSupportedException">A target is held by a field that cannot hold an adapter.</exception>
    public static LoraModel FromPretrained(nn.Module model, string folder, bool isTrainable = false, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var config = PeftConfigReader.Read(Path.Combine(folder, PeftNames.ConfigFile), logger);
        LoraModel wrapper;
        try
        {
            wrapper = Apply(model, config, seed: 0, logger);
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException(Errors.InFile(PeftNames.ConfigFile, exception.Message), exception);
        }

        try
        {
            wrapper.LoadAdapter(folder);
        }
        catch
        {
            wrapper._plan.Undo(wrapper.AdaptedLayers);
            throw;
        }

        if (!isTrainable)
        {
            foreach (var parameter in wrapper.TrainableParameters())
            {
                parameter.requires_grad = false;
            }
        }

        return wrapper;
    }

    /// <summary>Reads the values of a saved adapter of the same layers and ranks into this one.</summary>
    /// <param name="folder">The folder that peft or <see cref="SavePretrained"/> wrote.</param>
    /// <exception cref="FileNotFoundException">A file of the folder is missing.</exception>
    /// <exception cref="InvalidDataException">The file is faulty, a tensor is missing, unknown or of another shape or scaling. No value was changed.</exception>
    public void LoadAdapter(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        AdapterFile.Load(this, Path.Combine(folder, PeftNames.WeightsFile));
    }

    /// <summary>Writes the adapter as peft does: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>, each at once or not at all.</summary>
    /// <param name="folder">Made if it does not exist; files of the same names are replaced.</param>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void SavePretrained(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Directory.CreateDirectory(folder);
        AdapterFile.Save(this, Path.Combine(folder, PeftNames.WeightsFile));
        PeftConfigWriter.Write(Config, Path.Combine(folder, PeftNames.ConfigFile));
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

    // peft's mark_only_lora_as_trainable.
    private void Freeze()
    {
        foreach (var (name, parameter) in named_parameters())
        {
            parameter.requires_grad = Config.Bias == LoraBias.All && IsBias(name);
        }

        foreach (var (_, layer) in AdaptedLayers)
        {
            layer.LoraA.weight.requires_grad = true;
            layer.LoraB.weight.requires_grad = true;
            if (Config.Bias == LoraBias.LoraOnly && layer.BaseLayer.get_parameter("bias") is { } bias)
            {
                bias.requires_grad = true;
            }
        }
    }

    /// <summary>Whether a parameter is a bias, recurrent ones (<c>bias_ih_l0</c>) included.</summary>
    internal static bool IsBias(string name) => name[(name.LastIndexOf('.') + 1)..].StartsWith("bias", StringComparison.Ordinal);
}
