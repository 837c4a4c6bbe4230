using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>A module of which an adapter trains a copy, whole: peft's wrapper of the same name.</summary>
/// <remarks>
/// <c>original_module</c> is frozen and answers while no adapter is active that has a copy; the copies are named as peft's, such as
/// <c>modules_to_save.default</c>. Copies are made and chosen for the whole model, by <see cref="LoraModel"/>. Neither is ever computed
/// remotely: what is trained is not frozen. Not thread-safe.
/// </remarks>
public sealed class ModulesToSaveWrapper : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = PeftNames.OriginalModule)]
    private readonly nn.Module<Tensor, Tensor> _originalModule;

    [ComponentName(Name = PeftNames.ModulesToSave)]
    private readonly AdapterContainer<nn.Module<Tensor, Tensor>> _modulesToSave = new(PeftNames.ModulesToSave);

    private string? _active;
    private bool _isEnabled = true;

    /// <param name="originalModule">The module; owned from now on.</param>
    internal ModulesToSaveWrapper(nn.Module<Tensor, Tensor> originalModule) : base(nameof(ModulesToSaveWrapper))
    {
        _originalModule = originalModule;
        register_module(PeftNames.OriginalModule, originalModule);
        RegisterComponents();
        train(originalModule.training);
    }

    /// <summary>The module as it was found. Owned by this module.</summary>
    public nn.Module<Tensor, Tensor> OriginalModule => _originalModule;

    /// <summary>The trained copies by adapter. They are owned by this module.</summary>
    public IReadOnlyDictionary<string, nn.Module<Tensor, Tensor>> ModulesToSave => _modulesToSave.Modules;

    /// <summary>What the active adapter's copy answers, or the original module where there is none.</summary>
    /// <param name="input">What the module takes.</param>
    /// <returns>What it returns. The caller disposes it.</returns>
    public override Tensor forward(Tensor input) => Answering.call(input);

    /// <summary>The module that answers now.</summary>
    internal nn.Module<Tensor, Tensor> Answering =>
        _isEnabled && _active is not null && ModulesToSave.TryGetValue(_active, out var copy) ? copy : _originalModule;

    /// <summary>What training changes of an adapter's copy: their names within the module, and the parameters.</summary>
    internal IEnumerable<(string Name, Parameter Parameter)> ParametersOf(string adapter) =>
        ModulesToSave.TryGetValue(adapter, out var copy) ? copy.named_parameters() : [];

    /// <summary>Copies the original module for an adapter.</summary>
    internal void Add(string adapter) => _modulesToSave.Add(adapter, ModuleCopies.Of(_originalModule));

    /// <summary>Chooses the active adapter of the model; this module need not have a copy for it.</summary>
    internal void Activate(string adapter) => _active = adapter;

    /// <summary>Turns all copies on or off.</summary>
    internal void Enable(bool isEnabled) => _isEnabled = isEnabled;

    /// <summary>Disposes of an adapter's copy, if there is one.</summary>
    internal void Remove(string adapter) => _modulesToSave.Remove(adapter);
}
