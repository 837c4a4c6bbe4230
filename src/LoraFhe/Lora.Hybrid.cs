using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe;

public static partial class Lora
{
    private const string LanguageModelHead = "lm_head";

    /// <summary>Names the modules of a model that can be computed remotely: linear layers, and the two halves of each <see cref="CustomLinear"/>;
    /// never what belongs to an adapter.</summary>
    /// <param name="model">Any module, wrapped for training or not.</param>
    /// <param name="includeEmbeddingLayers">Whether embeddings and <c>lm_head</c> are named too; they stay with the data's owner otherwise.</param>
    /// <param name="includeLmHead">Whether <c>lm_head</c> is named too, without the embeddings.</param>
    /// <returns>Dotted names in registration order, depth first; a <see cref="CustomLinear"/> gives <c>name.forward_module</c> and
    /// <c>name.backward_module</c>. A module that is shared has its first name only; a model that is itself a layer has the name "".</returns>
    public static IReadOnlyList<string> GetRemoteNames(nn.Module model, bool includeEmbeddingLayers = false, bool includeLmHead = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        var names = new List<string>(RemoteNames("", model, includeEmbeddingLayers));
        foreach (var entry in ModuleSurgery.Descendants(model))
        {
            // What a remote module holds is not remote itself.
            if (entry.Parent is not RemoteModule && !StaysWithClient(entry.Name, includeLmHead || includeEmbeddingLayers))
            {
                names.AddRange(RemoteNames(entry.Name, entry.Module, includeEmbeddingLayers));
            }
        }

        return names;
    }

    private static bool StaysWithClient(string name, bool includeLmHead) =>
        LoraNames.IsAdapters(name) || (!includeLmHead && name.Split('.').Contains(LanguageModelHead));

    private static IEnumerable<string> RemoteNames(string name, nn.Module module, bool includeEmbeddingLayers)
    {
        var prefix = name.Length == 0 ? "" : name + ".";
        return module switch
        {
            CustomLinear => [prefix + "forward_module", prefix + "backward_module"],
            Linear or Conv1D or RemoteModule { Part: FrozenPart.Layer or FrozenPart.Unknown } => [name],
            Embedding or RemoteModule { Part: FrozenPart.Embedding } when includeEmbeddingLayers => [name],
            _ => [],
        };
    }
}
