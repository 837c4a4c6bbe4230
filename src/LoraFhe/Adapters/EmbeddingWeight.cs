using TorchSharp.Modules;

namespace LoraFhe;

/// <summary>The parameter of an embedding.</summary>
internal static class EmbeddingWeight
{
    /// <summary>The parameter that the module has registered, [entries, width]: <see cref="Embedding.weight"/> gives a new object at each call.</summary>
    public static Parameter Of(Embedding embedding) => embedding.named_parameters(recurse: false).Single().parameter;

    /// <summary>Whether <c>forward</c> uses that parameter. With <c>Embedding_from_pretrained</c> TorchSharp 0.107.0 registers another one: what is
    /// done to it, and what is read from it, has nothing to do with the answers.</summary>
    public static bool IsRegistered(Embedding embedding)
    {
        using var used = embedding.weight;
        return used is not null && DistinctParameters.Memory(used) == DistinctParameters.Memory(Of(embedding));
    }
}
