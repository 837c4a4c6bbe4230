using System.Text.Json.Nodes;
using LoraFhe.Fixtures;
using LoraFhe.Models;
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
            using var initial = golden.SingleTensor("init", name);
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
            : architecture.Contains("GPT2", StringComparison.Ordinal) ? new Gpt2LMHeadModel(Gpt2Config.Parse(Config(recorded["config"], Gpt2Config.ModelType)))
            : new LlamaForCausalLM(LlamaConfig.Parse(Config(recorded["config"], LlamaConfig.ModelType)));
    }

    private static string Config(GoldenJson config, string modelType)
    {
        var architecture = JsonNode.Parse(config.Element.GetRawText())!.AsObject();
        architecture["model_type"] = modelType;
        return architecture.ToJsonString();
    }
}
