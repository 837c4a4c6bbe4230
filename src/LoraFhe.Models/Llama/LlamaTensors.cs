using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>The tensors of a Llama checkpoint: names and shapes as Hugging Face writes them.</summary>
internal static class LlamaTensors
{
    public const string Embedding = "model.embed_tokens.weight";
    public const string OutputEmbedding = "lm_head.weight";

    private const string Score = "score.weight";
    private const string Prefix = "model.";

    // Older checkpoints hold each layer's rotary frequencies.
    private static readonly string[] IgnoredEnds = [".rotary_emb.inv_freq"];

    /// <summary>A language model's.</summary>
    public static Checkpoint Causal(LlamaConfig config) => config.TieWordEmbeddings
        ? new(OfDecoder(config), Prefix, IgnoredEnds, (Embedding, OutputEmbedding))
        : new(OfDecoder(config).Append((OutputEmbedding, [config.VocabularySize, config.HiddenSize])), Prefix, IgnoredEnds, Tied: null);

    /// <summary>What a classifier takes of a language model.</summary>
    public static Checkpoint Body(LlamaConfig config) => new(OfDecoder(config), Prefix, [.. IgnoredEnds, OutputEmbedding], Tied: null);

    /// <summary>A classifier's.</summary>
    public static Checkpoint Classifier(LlamaConfig config) =>
        new(OfDecoder(config).Append((Score, [config.Labels.Count, config.HiddenSize])), Prefix, IgnoredEnds, Tied: null);

    /// <summary>Draws a fresh model's weights, as transformers' <c>_init_weights</c> does: padding has none.</summary>
    public static void FillFresh(nn.Module model, LlamaConfig config)
    {
        FreshWeights.Fill(model, _ => config.InitializerRange);
        if (config.PaddingRow is { } row)
        {
            using var scope = NewDisposeScope();
            model.get_parameter(Embedding)!.select(0, row).zero_();
        }
    }

    private static IEnumerable<(string Name, long[] Shape)> OfDecoder(LlamaConfig config)
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
