using LoraFhe.Fixtures;

namespace LoraFhe.Parity.Tests.Adapters;

/// <summary>The options a recorded case was made with, as they were given to Python, in this project's spelling.</summary>
internal static class RecordedOptions
{
    public static LoraConfig Read(Golden golden)
    {
        var config = new LoraConfig();
        foreach (var (name, value) in golden.Expected["lora_config_given"].Members)
        {
            config = name switch
            {
                "r" => config with { R = value.AsInt32 },
                "lora_alpha" => config with { LoraAlpha = value.AsDouble },
                "lora_dropout" => config with { LoraDropout = value.AsDouble },
                "task_type" => config with { TaskType = value.AsString == "SEQ_CLS" ? TaskType.SeqCls : TaskType.CausalLm },
                "target_modules" => config with { TargetModules = Modules(value) },
                "exclude_modules" => config with { ExcludeModules = Modules(value) },
                "use_dora" => config with { UseDora = value.AsBoolean },
                "use_rslora" => config with { UseRslora = value.AsBoolean },
                "rank_pattern" => config with { RankPattern = new(value.Members.Select(member => KeyValuePair.Create(member.Name, member.Value.AsInt32))) },
                "alpha_pattern" => config with { AlphaPattern = new(value.Members.Select(member => KeyValuePair.Create(member.Name, member.Value.AsDouble))) },
                "layers_to_transform" => config with { LayersToTransform = value.Element.ValueKind == System.Text.Json.JsonValueKind.Number ? [value.AsInt32] : value.AsInt32s },
                "layers_pattern" => config with { LayersPattern = value.Element.ValueKind == System.Text.Json.JsonValueKind.String ? [value.AsString] : value.AsStrings },
                "bias" => config with { Bias = value.AsString == "all" ? LoraBias.All : LoraBias.LoraOnly },
                "fan_in_fan_out" => config with { FanInFanOut = value.AsBoolean },
                "init_lora_weights" => config with { InitLoraWeights = Enum.Parse<InitLoraWeights>(value.AsString, ignoreCase: true) },
                "lora_bias" => config with { LoraBias = value.AsBoolean },
                "modules_to_save" => config with { ModulesToSave = value.AsStrings },
                _ => throw new InvalidDataException($"'{name}' is not understood by this test."),
            };
        }

        return config;
    }

    private static TargetModules Modules(GoldenJson value) => value.Element.ValueKind == System.Text.Json.JsonValueKind.Array
        ? value.AsStrings
        : value.AsString == "all-linear" ? TargetModules.AllLinear : TargetModules.Pattern(value.AsString);
}
