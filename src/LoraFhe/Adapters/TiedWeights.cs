using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Which modules of a model share a parameter.</summary>
internal sealed class TiedWeights
{
    private readonly ILookup<(nint Address, long Count), NamedModule> _holders;

    /// <param name="modules">All modules of the model.</param>
    public TiedWeights(IEnumerable<NamedModule> modules) => _holders = modules
        .SelectMany(place => place.Module.named_parameters(recurse: false).Select(entry => (Key: DistinctParameters.Memory(entry.parameter), Place: place)))
        .ToLookup(entry => entry.Key, entry => entry.Place);

    /// <summary>The name of another module that has a module's parameter too, or null.</summary>
    public string? OtherHolder(nn.Module module, Parameter parameter) =>
        _holders[DistinctParameters.Memory(parameter)].FirstOrDefault(place => !ReferenceEquals(place.Module, module)).Name;
}
