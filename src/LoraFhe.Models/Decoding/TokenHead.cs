using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>Makes the layer from a state to logits, which may be the embedding's matrix.</summary>
internal static class TokenHead
{
    public static Linear Create(Decoder decoder, PretrainedConfig config) => config.TieWordEmbeddings
        ? nn.Linear(decoder.EmbeddingWeight)
        : BareLinear.Create(config.HiddenSize, config.VocabularySize, hasBias: false);
}
