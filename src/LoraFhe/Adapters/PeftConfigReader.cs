using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace LoraFhe;

/// <summary>Reads peft's <c>adapter_config.json</c> of any age: only <c>peft_type</c> is required, what is missing has peft's default.</summary>
internal static class PeftConfigReader
{
    // Known to peft, without effect here: how the file was made, or options of other options.
    private static readonly string[] WithoutEffect =
        ["auto_mapping", "inference_mode", "megatron_core", "peft_type", "peft_version", "qalora_group_size", "runtime_config"];

    // Known to peft and not served: anything but null, false or empty would make another model.
    private static readonly string[] NotServed =
    [
        "alora_invocation_tokens", "arrow_config", "corda_config", "ensure_weight_tying", "eva_config", "kasa_config", "layer_replication",
        "loftq_config", "lora_ga_config", "megatron_config", "monteclora_config", "target_parameters",
        "trainable_token_indices", "use_bdlora", "use_qalora", "velora_config",
    ];

    /// <summary>Reads and checks a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="logger">Gets one warning with all unknown keys, which are dropped as peft drops them.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is faulty or asks for something not served; all faults in one message.</exception>
    public static LoraConfig Read(string path, ILogger? logger)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException(Errors.AdapterFileMissing(Path.GetFileName(path), Path.GetDirectoryName(path)), path);
        }

        using var document = Parse(path);
        var options = new PeftOptions(document.RootElement);
        var config = ReadOptions(options);
        foreach (var key in NotServed.Where(key => !options.IsNeutral(key)))
        {
            options.Faults.Add(Errors.NotSupported(key));
        }

        if (options.Faults.Count == 0)
        {
            options.Faults.AddRange(config.Validate());
        }

        if (options.Faults.Count > 0)
        {
            throw new InvalidDataException(Errors.InFile(Path.GetFileName(path), string.Join(' ', options.Faults)));
        }

        if (logger is not null && options.Unread(WithoutEffect) is { Count: > 0 } unknown && logger.IsEnabled(LogLevel.Warning))
        {
            logger.UnknownAdapterOptions(Path.GetFileName(path), string.Join(", ", unknown));
        }

        return config;
    }

    private static LoraConfig ReadOptions(PeftOptions options)
    {
        if (options.Text("peft_type", required: true) is { } type && type != "LORA")
        {
            options.Faults.Add(Errors.PeftType(type));
        }

        return new LoraConfig
        {
            R = options.Integer("r", 8),
            LoraAlpha = options.Number("lora_alpha", 8),
            LoraDropout = options.Number("lora_dropout", 0),
            TargetModules = options.Modules("target_modules"),
            ExcludeModules = options.Modules("exclude_modules"),
            Bias = options.Choice("bias", PeftSpelling.Biases, LoraBias.None),
            UseRslora = options.Flag("use_rslora"),
            UseDora = options.Flag("use_dora"),
            RankPattern = options.Integers("rank_pattern"),
            AlphaPattern = options.Numbers("alpha_pattern"),
            LayersToTransform = options.IntegerList("layers_to_transform"),
            LayersPattern = options.TextList("layers_pattern"),
            ModulesToSave = options.TextList("modules_to_save"),
            LoraBias = options.Flag("lora_bias"),
            FanInFanOut = options.Flag("fan_in_fan_out"),
            InitLoraWeights = options.Initialization("init_lora_weights"),
            TaskType = options.OptionalChoice("task_type", PeftSpelling.TaskTypes),
            BaseModelNameOrPath = options.Text("base_model_name_or_path"),
            Revision = options.Text("revision"),
            Carried = options.Present([.. WithoutEffect, .. NotServed, "layers_pattern", "layers_to_transform", "lora_bias"]),
        };
    }

    private static JsonDocument Parse(string path)
    {
        try
        {
            var document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document;
            }

            document.Dispose();
            throw new InvalidDataException(Errors.InFile(Path.GetFileName(path), Errors.NotAnObject()));
        }
        catch (JsonException exception)
        {
            var fault = Errors.NotJson(1 + (exception.LineNumber ?? 0), exception.BytePositionInLine ?? 0);
            throw new InvalidDataException(Errors.InFile(Path.GetFileName(path), fault), exception);
        }
    }
}
