using System.Text.Json.Nodes;
using LoraFhe.Fixtures;
using LoraFhe.Models;

namespace LoraFhe.Benchmarks;

/// <summary>A model whose training steps are timed.</summary>
/// <param name="Name">What the command line calls it.</param>
/// <param name="Title">What tables call it.</param>
/// <param name="Config">The text of a <c>config.json</c>, for random weights; null: the weights of <paramref name="Folder"/>.</param>
/// <param name="Folder">A Hugging Face folder; null: random weights.</param>
internal sealed record StepModel(string Name, string Title, string? Config, string? Folder)
{
    /// <summary>What is timed unless something else is asked for.</summary>
    public static IReadOnlyList<StepModel> All { get; } =
    [
        new("tiny", "tiny-austen, 128 wide, 4 layers", Config: null, RepositoryFolder.At("models", "tiny-austen")),
        new("gpt2", "GPT-2-small shape, 768 wide, 12 layers", """
            {
              "model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024, "vocab_size": 50257,
              "bos_token_id": 50256, "eos_token_id": 50256
            }
            """, Folder: null),
        new("smollm2", "SmolLM2-135M shape, 576 wide, 30 layers", """
            {
              "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9, "num_key_value_heads": 3,
              "num_hidden_layers": 30, "vocab_size": 49152, "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "rope_theta": 100000.0,
              "tie_word_embeddings": true, "hidden_act": "silu"
            }
            """, Folder: null),
    ];

    private const string ConfigFile = "config.json";
    private static readonly string[] DepthKeys = ["n_layer", "num_hidden_layers"];
    private static readonly string[] WidthKeys = ["n_embd", "hidden_size"];
    private static readonly string[] InnerKeys = ["n_inner", "intermediate_size"];

    /// <summary>Numbers a token has between layers, and inside the feed-forward part.</summary>
    public (int Hidden, int Inner) Widths
    {
        get
        {
            var config = Parsed();
            var hidden = Number(config, WidthKeys)!.Value;
            return (hidden, Number(config, InnerKeys) ?? 4 * hidden);
        }
    }

    /// <summary>The model of a folder.</summary>
    public static StepModel Of(string folder) => new(Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)), folder, Config: null, folder);

    /// <summary>The same with fewer layers.</summary>
    /// <exception cref="InvalidOperationException">Its weights come from a folder.</exception>
    public StepModel WithLayers(int layers)
    {
        if (Config is null)
        {
            throw new InvalidOperationException($"'{Name}' has weights of its own. Expected a model with random ones to cut.");
        }

        var config = Parsed();
        config[DepthKeys.First(config.ContainsKey)] = layers;
        return this with { Config = config.ToJsonString(), Title = $"{Title}, cut to {layers}" };
    }

    /// <summary>Loads it, or draws its weights.</summary>
    public CausalLanguageModel Load()
    {
        if (Config is null)
        {
            return CausalLanguageModel.FromPretrained(Folder!);
        }

        return Parsed()["model_type"]!.GetValue<string>() == "gpt2"
            ? new Gpt2LMHeadModel(Gpt2Config.Parse(Config))
            : new LlamaForCausalLM(LlamaConfig.Parse(Config));
    }

    private JsonObject Parsed() => JsonNode.Parse(Config ?? File.ReadAllText(Path.Combine(Folder!, ConfigFile)))!.AsObject();

    private static int? Number(JsonObject config, string[] keys) =>
        keys.Select(key => config[key]).FirstOrDefault(value => value is not null)?.GetValue<int>();
}
