using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The modules of a model by the names and places they have without adapters: what stands around or beside them is looked through.</summary>
internal sealed class BareModules
{
    private readonly Dictionary<nn.Module, IAdapterPlace> _around = new(ReferenceEqualityComparer.Instance);
    private readonly List<NamedModule> _all = [];

    private BareModules()
    {
    }

    /// <summary>The modules below the model, in registration order, depth first.</summary>
    public IReadOnlyList<NamedModule> All => _all;

    /// <summary>Lists a model's modules.</summary>
    public static BareModules Of(nn.Module model)
    {
        var modules = new BareModules();
        var skipped = (string?)null;
        foreach (var place in ModuleSurgery.Descendants(model))
        {
            if (skipped is not null && place.Name.StartsWith(skipped, StringComparison.Ordinal))
            {
                continue;
            }

            skipped = place.Module is IAdapterPlace ? place.Name + "." : null;
            modules._all.Add(place with { Module = modules.LookThrough(place.Module) });
        }

        return modules;
    }

    /// <summary>What adapters have put around a module, or null.</summary>
    public IAdapterPlace? Around(nn.Module module) => _around.GetValueOrDefault(module);

    private nn.Module LookThrough(nn.Module module)
    {
        nn.Module bare = module switch
        {
            LoraLayer layer => layer.BaseLayer,
            ModulesToSaveWrapper wrapper => wrapper.OriginalModule,
            _ => module,
        };
        if (module is IAdapterPlace place)
        {
            _around.Add(bare, place);
        }

        return bare;
    }
}
