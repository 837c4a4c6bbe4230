using TorchSharp.Modules;

namespace LoraFhe;

/// <summary>The parameter of an embedding.</summary>
internal static class EmbeddingWeight
{
    /// <summary>The parameter that the module has registered, [entries, width]: <see cref="Embedding.weight"/> gives a new object at each call.</summary>
    public static Parameter Of(Embedding embedding) => embedding.named_parameters(recurse: false).Single().parameter;
}
