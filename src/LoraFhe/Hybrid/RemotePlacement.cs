using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Puts <see cref="RemoteModule"/>s where a model's named modules are.</summary>
internal static class RemotePlacement
{
    /// <summary>Replaces the modules, everything checked before anything changes.</summary>
    /// <param name="model">The model.</param>
    /// <param name="names">Dotted names below it, each once.</param>
    /// <param name="fault">Keeps the exceptions of all their backward products.</param>
    /// <returns>The remote modules, in the order of the names.</returns>
    /// <exception cref="ArgumentException">There is no module of a name, it is remote already, or it takes something else than a tensor.</exception>
    /// <exception cref="NotSupportedException">A module cannot be replaced where it is held, or an embedding limits its rows' norms.</exception>
    public static IReadOnlyList<RemoteModule> Carry(nn.Module model, IReadOnlyList<string> names, BackwardFault fault)
    {
        var known = ModuleSurgery.Descendants(model).ToDictionary(entry => entry.Name, StringComparer.Ordinal);
        var found = names.Select(name => Find(model, known, name)).ToList();
        var replaced = new List<RemoteModule>();
        ModuleSurgery.ReplaceEverywhere(model, found, typeof(RemoteModule), entry =>
        {
            replaced.Add(new RemoteModule(entry.Name, (nn.Module<Tensor, Tensor>)entry.Module, fault));
            return replaced[^1];
        });

        // Halves of custom layers keep their exceptions where the whole ones do.
        foreach (var source in known.Values.Select(entry => entry.Module).OfType<IBackwardFaultSource>())
        {
            source.Fault = fault;
        }

        return replaced;
    }

    private static NamedModule Find(nn.Module model, Dictionary<string, NamedModule> known, string name)
    {
        if (!known.TryGetValue(name, out var entry))
        {
            throw new ArgumentException(Errors.NoSuchModule(name, model.GetType(), known.Keys), nameof(name));
        }

        return entry.Module switch
        {
            RemoteModule => throw new ArgumentException(Errors.AlreadyRemote(name), nameof(name)),
            Embedding embedding when FrozenEmbedding.HasMaxNorm(embedding) => throw new NotSupportedException(Errors.EmbeddingMaxNorm(name)),
            nn.Module<Tensor, Tensor> => entry,
            _ => throw new ArgumentException(Errors.NotTensorModule(name, entry.Module.GetType()), nameof(name)),
        };
    }
}
