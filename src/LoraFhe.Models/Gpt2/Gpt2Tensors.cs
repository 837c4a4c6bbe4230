namespace LoraFhe.Models;

/// <summary>The tensors of a GPT-2 checkpoint: names and shapes as Hugging Face writes them.</summary>
internal static class Gpt2Tensors
{
    private const string Embedding = "transformer.wte.weight";
    private const string OutputEmbedding = "lm_head.weight";
    private const string Score = "score.weight";
    private const string Prefix = "transformer.";

    // Older checkpoints hold each layer's causal mask. The dot matters: 'c_attn.bias' is a parameter.
    private static readonly string[] IgnoredEnds = [".attn.bias", ".attn.masked_bias"];

    /// <summary>A language model's.</summary>
    public static Checkpoint Causal(Gpt2Config config) => config.TieWordEmbeddings
        ? new(OfDecoder(config), Prefix, IgnoredEnds, (Embedding, OutputEmbedding))
        : new(OfDecoder(config).Append((OutputEmbedding, [config.VocabularySize, config.HiddenSize])), Prefix, IgnoredEnds, Tied: null);

    /// <summary>What a classifier takes of a language model.</summary>
    public static Checkpoint Body(Gpt2Config config) => new(OfDecoder(config), Prefix, [.. IgnoredEnds, OutputEmbedding], Tied: null);

    /// <summary>A classifier's.</summary>
    public static Checkpoint Classifier(Gpt2Config config) =>
        new(OfDecoder(config).Append((Score, [config.Labels.Count, config.HiddenSize])), Prefix, IgnoredEnds, Tied: null);

    /// <summary>The deviation that a fresh matrix is drawn with, as transformers' <c>_init_weights</c> has it.</summary>
    public static double FreshDeviation(string name, Gpt2Config config) => name.EndsWith(".c_proj.weight", StringComparison.Ordinal)
        ? config.InitializerRange / Math.Sqrt(2.0 * config.LayerCount)
        : config.InitializerRange;

    private static IEnumerable<(string Name, long[] Shape)> OfDecoder(Gpt2Config config)
    {
        long hidden = config.HiddenSize;
        yield return (Embedding, [config.VocabularySize, hidden]);
        yield return ("transformer.wpe.weight", [config.MaxPositionEmbeddings, hidden]);
        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            foreach (var (name, shape) in OfLayer(hidden, config.InnerSize))
            {
                yield return ($"transformer.h.{layer}.{name}", shape);
            }
        }

        yield return ("transformer.ln_f.weight", [hidden]);
        yield return ("transformer.ln_f.bias", [hidden]);
    }

    private static (string Name, long[] Shape)[] OfLayer(long hidden, long inner) =>
    [
        ("ln_1.weight", [hidden]),
        ("ln_1.bias", [hidden]),
        ("attn.c_attn.weight", [hidden, 3 * hidden]),
        ("attn.c_attn.bias", [3 * hidden]),
        ("attn.c_proj.weight", [hidden, hidden]),
        ("attn.c_proj.bias", [hidden]),
        ("ln_2.weight", [hidden]),
        ("ln_2.bias", [hidden]),
        ("mlp.c_fc.weight", [hidden, inner]),
        ("mlp.c_fc.bias", [inner]),
        ("mlp.c_proj.weight", [inner, hidden]),
        ("mlp.c_proj.bias", [hidden]),
    ];
}
