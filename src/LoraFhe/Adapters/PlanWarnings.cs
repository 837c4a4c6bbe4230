using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>What a user should know of an adapter before it is trained, though it can be made: peft warns of the same.</summary>
internal static class PlanWarnings
{
    /// <summary>Tells of layers into which an adapter could not be merged, and of weights that another module shares.</summary>
    /// <param name="logger">Gets a warning for each.</param>
    /// <param name="modules">The model's modules.</param>
    /// <param name="config">The options in effect.</param>
    /// <param name="adapted">The layers that get an adapter.</param>
    /// <param name="saved">The modules that are trained whole.</param>
    public static void Tell(ILogger logger, BareModules modules, LoraConfig config, IEnumerable<NamedModule> adapted, IEnumerable<NamedModule> saved)
    {
        var tied = new TiedWeights(modules.All);
        foreach (var place in adapted)
        {
            if (config.LoraBias && FrozenLinear.Of(place.Module) is { Bias: null })
            {
                logger.BiasNotMergeable(place.Name);
            }

            if (Other(tied, place.Module) is { } other)
            {
                logger.TiedWeightAdapted(place.Name, other);
            }
        }

        foreach (var place in saved)
        {
            if (Other(tied, place.Module) is { } other)
            {
                logger.TiedWeightCopied(place.Name, other);
            }
        }
    }

    private static string? Other(TiedWeights tied, nn.Module module) => module.named_parameters(recurse: false)
        .Select(entry => tied.OtherHolder(module, entry.parameter)).FirstOrDefault(name => name is not null);
}
