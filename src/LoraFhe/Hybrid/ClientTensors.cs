using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>What of a model stays with the data's owner: everything but the weights that only remote modules hold.</summary>
internal static class ClientTensors
{
    private const string PrivateModule = ".private_module";

    /// <summary>The owner's parameters and buffers by the names they have once the frozen layers are gone, each memory once: adapters, embeddings, norms, heads,
    /// and the biases of frozen layers, which are added in clear. They stay the model's.</summary>
    public static IReadOnlyList<(string Name, Tensor Value)> Of(nn.Module model)
    {
        var kept = new List<(string Name, Tensor Value)>();
        var seen = new HashSet<(nint, long)>();
        foreach (var (module, name, privately) in Modules(model))
        {
            foreach (var (ownName, value) in Own(module).Where(entry => !privately || entry.Name == "bias"))
            {
                if (seen.Add(DistinctParameters.Memory(value)))
                {
                    kept.Add((NameOf(Join(name, ownName)), value));
                }
            }
        }

        return kept;
    }

    /// <summary>The name that a tensor of the owner's has once the frozen layers are gone: a bias then hangs where the layer did.</summary>
    public static string NameOf(string name) => name.Replace(PrivateModule + ".", ".", StringComparison.Ordinal);

    /// <summary>The memory of all that <see cref="Of"/> lists.</summary>
    public static HashSet<(nint Address, long Count)> Memories(nn.Module model) => [.. Of(model).Select(entry => DistinctParameters.Memory(entry.Value))];

    /// <summary>Checks that a file holds exactly a model's client tensors.</summary>
    /// <exception cref="InvalidDataException">One is missing, too many, or of another shape or type; the text names file and tensor.</exception>
    public static void Check(IReadOnlyList<(string Name, Tensor Value)> tensors, SafetensorsFile file)
    {
        foreach (var (name, value) in tensors)
        {
            if (!file.TryGet(name, out var found))
            {
                throw new InvalidDataException(Errors.ClientLacks(file.FileName, name));
            }

            if (!found.Shape.SequenceEqual(value.shape) || found.DType != StoredTensor.DTypeOf(name, value.dtype))
            {
                throw new InvalidDataException(Errors.ClientTensorForm(file.FileName, name, found.Shape, value.shape, value.dtype.ToString()));
            }
        }

        var known = tensors.Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        if (file.Entries.FirstOrDefault(entry => !known.Contains(entry.Name)) is { } unknown)
        {
            throw new InvalidDataException(Errors.ClientHasMore(file.FileName, unknown.Name));
        }
    }

    // In registration order; what a remote module holds, and what hangs below that, is private.
    private static IEnumerable<(nn.Module Module, string Name, bool Privately)> Modules(nn.Module model)
    {
        var hidden = new HashSet<nn.Module>(ReferenceEqualityComparer.Instance);
        yield return (model, "", false);
        foreach (var (name, module, parent, _) in ModuleSurgery.Descendants(model))
        {
            var privately = parent is RemoteModule || hidden.Contains(parent);
            if (privately)
            {
                hidden.Add(module);
            }

            yield return (module, name, privately);
        }
    }

    private static IEnumerable<(string Name, Tensor Value)> Own(nn.Module module) =>
        module.named_parameters(recurse: false).Select(entry => (entry.name, (Tensor)entry.parameter))
            .Concat(module.named_buffers(recurse: false).Select(entry => (entry.name, entry.buffer)));

    private static string Join(string module, string name) => module.Length == 0 ? name : $"{module}.{name}";
}
