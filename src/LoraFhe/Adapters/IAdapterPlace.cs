using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>A place of a model where adapters have a part, each under its name: a layer beside which they stand, or a module they train whole.</summary>
internal interface IAdapterPlace
{
    /// <summary>Whether no adapter has a part here any more.</summary>
    bool IsBare { get; }

    /// <summary>What training changes of an adapter: the ends of their names in peft's file, and the parameters; none if it has no part here.</summary>
    IEnumerable<(string Name, Parameter Parameter)> ParametersOf(string adapter);

    /// <summary>Chooses the active adapter of the model, which need not have a part here, and whether adapters act at all.</summary>
    void Activate(string adapter, bool isEnabled);

    /// <summary>Disposes of an adapter's part, which is not merged, if there is one.</summary>
    void Remove(string adapter);

    /// <summary>Lets go of the module that was here before and disposes of the rest; this one is of no use afterwards.</summary>
    /// <param name="merged">The adapters that are to stay part of the model.</param>
    /// <returns>What belongs in this place.</returns>
    nn.Module Release(IReadOnlyCollection<string> merged);
}
