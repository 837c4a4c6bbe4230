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
public sealed class ModulesToSaveWrapper : nn.Module<Tensor, Tensor>, IAdapterPlace
{
    [ComponentName(Name = PeftNames.OriginalModule)]
    private readonly nn.Module<Tensor, Tensor> _originalModule;

    [ComponentName(Name = PeftNames.ModulesToSave)]
    private readonly AdapterContainer<nn.Module<Tensor, Tensor>> _modulesToSave = new(PeftNames.ModulesToSave);

    private string? _active;

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

    bool IAdapterPlace.IsBare => ModulesToSave.Count == 0;

    private nn.Module<Tensor, Tensor> Answering =>
        _active is not null && ModulesToSave.TryGetValue(_active, out var copy) ? copy : _originalModule;

    IEnumerable<(string Name, Parameter Parameter)> IAdapterPlace.ParametersOf(string adapter) =>
        ModulesToSave.TryGetValue(adapter, out var copy) ? copy.named_parameters() : [];

    void IAdapterPlace.Activate(string adapter, bool isEnabled) => _active = isEnabled ? adapter : null;

    void IAdapterPlace.Remove(string adapter) => _modulesToSave.Remove(adapter);

    nn.Module IAdapterPlace.Release(IReadOnlyCollection<string> merged)
    {
        // Not disposed of, even if a copy stays: its parameters may be tied to another module's.
        _internal_submodules.Remove(PeftNames.OriginalModule);
        var kept = merged.LastOrDefault(ModulesToSave.ContainsKey) is { } adapter ? _modulesToSave.Release(adapter) : _originalModule;
        Dispose();
        return kept;
    }

    /// <summary>Copies the original module for an adapter.</summary>
    internal void Add(string adapter) => _modulesToSave.Add(adapter, ModuleCopies.Of(_originalModule));
}
