using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Parity;

/// <summary>The models of the recorded cases <c>concrete-ml/*</c> with their adapters, module by module; language models without a forward.</summary>
internal static class RecordedSkeleton
{
    public static IReadOnlyList<string> Cases { get; } = ["mlp", "gpt2", "llama", "glwe"];

    /// <summary>The adapted model of a case.</summary>
    public static LoraModel Adapted(GoldenJson recorded) => LoraModel.Apply(Base(recorded), new LoraConfig
    {
        R = recorded["lora"]["r"].AsInt32,
        LoraAlpha = recorded["lora"]["lora_alpha"].AsDouble,
        TargetModules = recorded["lora"]["target_modules"].AsStrings,
    });

    /// <summary>It as the trainer has it.</summary>
    public static LoraTraining Training(GoldenJson recorded, int skip) =>
        new(Adapted(recorded), skip, (logits, labels) => nn.functional.mse_loss(logits, labels), _ => new ModelOutput());

    public static SkeletonModel Gpt2(int layers, int vocabulary, int positions, int width)
    {
        var modules = new List<(string, nn.Module)>
        {
            ("transformer.wte", nn.Embedding(vocabulary, width)),
            ("transformer.wpe", nn.Embedding(positions, width)),
        };
        for (var i = 0; i < layers; i++)
        {
            var block = $"transformer.h.{i}.";
            modules.AddRange([
                (block + "ln_1", nn.LayerNorm(width)), (block + "attn.c_attn", new Conv1D(width, 3 * width)), (block + "attn.c_proj", new Conv1D(width, width)),
                (block + "ln_2", nn.LayerNorm(width)), (block + "mlp.c_fc", new Conv1D(width, 4 * width)), (block + "mlp.c_proj", new Conv1D(4 * width, width)),
            ]);
        }

        var head = nn.Linear(((TorchSharp.Modules.Embedding)modules[0].Item2).weight!);
        modules.AddRange([("transformer.ln_f", nn.LayerNorm(width)), ("lm_head", head)]);
        return SkeletonModel.Of("gpt2", modules);
    }

    private static nn.Module Base(GoldenJson recorded)
    {
        var architecture = recorded["arch"].AsString;
        return architecture == "mlp" ? new Training.Mlp(recorded["dims"].AsInt32s)
            : architecture.Contains("GPT2", StringComparison.Ordinal) ? Gpt2(recorded["config"])
            : Llama(recorded["config"]);
    }

    private static SkeletonModel Gpt2(GoldenJson config) =>
        Gpt2(config["n_layer"].AsInt32, config["vocab_size"].AsInt32, config["n_positions"].AsInt32, config["n_embd"].AsInt32);

    private static SkeletonModel Llama(GoldenJson config)
    {
        var (width, inner, vocabulary) = (config["hidden_size"].AsInt32, config["intermediate_size"].AsInt32, config["vocab_size"].AsInt32);
        var keys = width / config["num_attention_heads"].AsInt32 * config["num_key_value_heads"].AsInt32;
        nn.Module Layer(int inputs, int outputs) => nn.Linear(inputs, outputs, hasBias: false);
        var modules = new List<(string, nn.Module)> { ("model.embed_tokens", nn.Embedding(vocabulary, width)) };
        for (var i = 0; i < config["num_hidden_layers"].AsInt32; i++)
        {
            var block = $"model.layers.{i}.";
            modules.AddRange([
                (block + "self_attn.q_proj", Layer(width, width)), (block + "self_attn.k_proj", Layer(width, keys)),
                (block + "self_attn.v_proj", Layer(width, keys)), (block + "self_attn.o_proj", Layer(width, width)),
                (block + "mlp.gate_proj", Layer(width, inner)), (block + "mlp.up_proj", Layer(width, inner)), (block + "mlp.down_proj", Layer(inner, width)),
            ]);
        }

        modules.Add(("lm_head", Layer(width, vocabulary)));
        return SkeletonModel.Of("llama", modules);
    }
}
