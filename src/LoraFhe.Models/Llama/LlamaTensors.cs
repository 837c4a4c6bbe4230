namespace LoraFhe.Models;

/// <summary>The tensors of a Llama checkpoint: names and shapes as Hugging Face writes them.</summary>
/// <remarks>Known before any memory is taken, so that a file that does not fit is refused first.</remarks>
internal static class LlamaTensors
{
    public const string Embedding = "model.embed_tokens.weight";
    public const string OutputEmbedding = "lm_head.weight";

    // Older checkpoints hold each layer's rotary frequencies, which follow from the configuration.
    private const string RotaryBuffer = ".rotary_emb.inv_freq";

    /// <summary>Whether a file may hold the tensor though the model has no such parameter.</summary>
    public static bool IsIgnored(string name, LlamaConfig config) =>
        name.EndsWith(RotaryBuffer, StringComparison.Ordinal) || (config.TieWordEmbeddings && name == OutputEmbedding);

    /// <summary>The tensors that a checkpoint of the configuration must hold, made as they are asked for.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Of(LlamaConfig config)
    {
        yield return (Embedding, [config.VocabularySize, config.HiddenSize]);
        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            foreach (var (name, shape) in OfLayer(config))
            {
                yield return ($"model.layers.{layer}.{name}", shape);
            }
        }

        yield return ("model.norm.weight", [config.HiddenSize]);
        if (!config.TieWordEmbeddings)
        {
            yield return (OutputEmbedding, [config.VocabularySize, config.HiddenSize]);
        }
    }

    private static IEnumerable<(string Name, long[] Shape)> OfLayer(LlamaConfig config)
    {
        long hidden = config.HiddenSize, inner = config.IntermediateSize;
        long queries = (long)config.HeadCount * config.HeadDim, keys = (long)config.KeyValueHeadCount * config.HeadDim;
        (string Name, long Out, long In, bool Bias)[] linears =
        [
            ("self_attn.q_proj", queries, hidden, config.AttentionBias),
            ("self_attn.k_proj", keys, hidden, config.AttentionBias),
            ("self_attn.v_proj", keys, hidden, config.AttentionBias),
            ("self_attn.o_proj", hidden, queries, config.AttentionBias),
            ("mlp.gate_proj", inner, hidden, config.MlpBias),
            ("mlp.up_proj", inner, hidden, config.MlpBias),
            ("mlp.down_proj", hidden, inner, config.MlpBias),
        ];
        foreach (var linear in linears)
        {
            yield return (linear.Name + ".weight", [linear.Out, linear.In]);
            if (linear.Bias)
            {
                yield return (linear.Name + ".bias", [linear.Out]);
            }
        }

        yield return ("input_layernorm.weight", [hidden]);
        yield return ("post_attention_layernorm.weight", [hidden]);
    }
}
