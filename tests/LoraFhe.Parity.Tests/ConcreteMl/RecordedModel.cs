using System.Text.Json.Nodes;
using LoraFhe.Fixtures;
using LoraFhe.Models;
using LoraFhe.Tests;
using LoraFhe.Tests.Hybrid;
using LoraFhe.Tests.Training;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>The models that the reference was run on, with their adapters.</summary>
internal static class RecordedModel
{
    /// <summary>The <c>case.json</c> of a model.</summary>
    public static GoldenJson Case(string name)
    {
        using var golden = Golden.Open("concrete-ml/" + name);
        return golden.Json("case.json");
    }

    /// <summary>A model with its adapters and the recorded first values.</summary>
    public static LoraModel Filled(Golden golden)
    {
        var model = Adapted(golden.Json("case.json"));
        using var noGraph = no_grad();
        foreach (var (name, parameter) in model.named_parameters())
        {
            using var initial = golden.Singles("init", name).ToTensor();
            parameter.copy_(initial);
        }

        return model;
    }

    /// <summary>A model with its adapters.</summary>
    public static LoraModel Adapted(GoldenJson recorded)
    {
        var lora = recorded["lora"];
        return LoraModel.Apply(Base(recorded), new LoraConfig
        {
            R = lora["r"].AsInt32,
            LoraAlpha = lora["lora_alpha"].AsDouble,
            LoraDropout = lora["lora_dropout"].AsDouble,
            TargetModules = lora["target_modules"].AsStrings,
            FanInFanOut = lora.Has("fan_in_fan_out") && lora["fan_in_fan_out"].AsBoolean,
            TaskType = lora.Has("task_type") ? TaskType.CausalLm : null,
        });
    }

    /// <summary>It as the trainer has it.</summary>
    public static LoraTraining Training(GoldenJson recorded, int skip) =>
        new(Adapted(recorded), skip, (logits, labels) => nn.functional.mse_loss(logits, labels), _ => new ModelOutput());

    private static nn.Module Base(GoldenJson recorded)
    {
        var architecture = recorded["arch"].AsString;
        return architecture == "mlp" ? new Mlp(recorded["dims"].AsInt32s)
            : architecture.Contains("GPT2", StringComparison.Ordinal) ? Gpt2(recorded["config"])
            : new LlamaForCausalLM(LlamaConfig.Parse(Config(recorded["config"], "llama")));
    }

    private static string Config(GoldenJson config, string modelType)
    {
        var architecture = JsonNode.Parse(config.Element.GetRawText())!.AsObject();
        architecture["model_type"] = modelType;
        return architecture.ToJsonString();
    }

    private static SkeletonModel Gpt2(GoldenJson config) =>
        Gpt2(config["n_layer"].AsInt32, config["vocab_size"].AsInt32, config["n_positions"].AsInt32, config["n_embd"].AsInt32);

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
}
