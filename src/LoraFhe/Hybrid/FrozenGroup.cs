using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>The remote modules that compute one frozen layer: the layer itself, or the halves of its <see cref="CustomLinear"/>.</summary>
/// <param name="Path">The layer's dotted path in the hybrid model.</param>
/// <param name="Name">The layer's name in the user's model: what bindings, hints and errors call it.</param>
/// <param name="Modules">The remote modules.</param>
/// <param name="Weight">The layer's float weight; null once it was cleared.</param>
internal sealed record FrozenGroup(string Path, string Name, IReadOnlyList<RemoteModule> Modules, FrozenWeight? Weight)
{
    // Wrappers around the user's model, and the names they add to a layer's.
    private static readonly string[] Wrappers = ["inference_model.", "base_model.model."];
    private const string BaseLayer = ".base_layer";

    /// <summary>Finds the layers that a model's remote modules belong to, in the modules' order.</summary>
    /// <exception cref="NotSupportedException">A module is no linear layer; the text names it.</exception>
    public static IReadOnlyList<FrozenGroup> Find(IEnumerable<RemoteModule> modules)
    {
        var byPath = modules.GroupBy(PathOf).ToList();
        var isUnique = byPath.Select(group => ShortName(group.Key)).Distinct(StringComparer.Ordinal).Count() == byPath.Count;
        return [.. byPath.Select(group => Create(group.Key, isUnique ? ShortName(group.Key) : group.Key, [.. group]))];
    }

    /// <summary>A layer's name without what the wrappers around the user's model add to it: <c>fc1</c> for
    /// <c>inference_model.base_model.model.fc1.base_layer</c>.</summary>
    internal static string ShortName(string path)
    {
        foreach (var wrapper in Wrappers)
        {
            path = path.StartsWith(wrapper, StringComparison.Ordinal) ? path[wrapper.Length..] : path;
        }

        return path.EndsWith(BaseLayer, StringComparison.Ordinal) ? path[..^BaseLayer.Length] : path;
    }

    /// <summary>Columns of the layer's input.</summary>
    public long InFeatures => Modules[0].InFeatures;

    /// <summary>Columns of its output.</summary>
    public long OutFeatures => Modules[0].OutFeatures;

    /// <summary>Its bias, or null; asked for at each use, since a model that is moved disposes of the parameters it had. Of a layer's two halves one has it.</summary>
    public Tensor? Bias => Modules[0].Bias ?? Modules[^1].Bias;

    private static FrozenGroup Create(string path, string name, IReadOnlyList<RemoteModule> modules)
    {
        if (modules.FirstOrDefault(module => module.Part == FrozenPart.Unknown) is { } other)
        {
            throw new NotSupportedException(Errors.NotLinear(other.RemoteName, other.PrivateModule!.GetType()));
        }

        return new FrozenGroup(path, name, modules, FrozenLinear.Of(modules[0].PrivateModule)?.Weight);
    }

    // The halves of a CustomLinear are one layer, under its name.
    private static string PathOf(RemoteModule module) => module.Part is FrozenPart.Forward or FrozenPart.Backward
        ? module.RemoteName[..Math.Max(0, module.RemoteName.LastIndexOf('.'))]
        : module.RemoteName;
}
