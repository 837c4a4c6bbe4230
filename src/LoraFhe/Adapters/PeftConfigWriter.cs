using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoraFhe.Safetensors;

namespace LoraFhe;

/// <summary>Writes <c>adapter_config.json</c>: the keys that every peft since 0.10 knows, sorted, indented by two.</summary>
internal static class PeftConfigWriter
{
    // Escapes what JSON must and no more, so that a regular expression stays readable; the file is never part of a web page.
    private static readonly JsonWriterOptions Format = new()
    {
        Indented = true,
        IndentSize = 2,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes the file at once or not at all.</summary>
    /// <param name="config">The options in effect, targets resolved to names or an expression.</param>
    /// <param name="path">The file; one that is there is replaced.</param>
    public static void Write(LoraConfig config, string path) => AtomicFile.Write(path, stream =>
    {
        using var json = new Utf8JsonWriter(stream, Format);
        WriteObject(json, config);
    });

    private static void WriteObject(Utf8JsonWriter json, LoraConfig config)
    {
        json.WriteStartObject();
        WriteMap(json, "alpha_pattern", config.AlphaPattern);
        json.WriteString("base_model_name_or_path", config.BaseModelNameOrPath);
        json.WriteString("bias", PeftSpelling.Of(PeftSpelling.Biases, config.Bias));
        WriteModules(json, "exclude_modules", config.ExcludeModules);
        json.WriteBoolean("fan_in_fan_out", config.FanInFanOut);
        json.WriteBoolean("inference_mode", true);
        WriteInitialization(json, config.InitLoraWeights);
        WriteList(json, "layers_pattern", config.LayersPattern, json.WriteStringValue);
        WriteList(json, "layers_to_transform", config.LayersToTransform, json.WriteNumberValue);
        json.WritePropertyName("lora_alpha");
        WriteNumber(json, config.LoraAlpha);
        json.WritePropertyName("lora_dropout");
        json.WriteRawValue(config.LoraDropout == 0 ? "0.0" : config.LoraDropout.ToString("R", CultureInfo.InvariantCulture));
        json.WriteNull("modules_to_save");
        json.WriteString("peft_type", "LORA");
        json.WriteNumber("r", config.R);
        WriteMap(json, "rank_pattern", config.RankPattern.Select(pattern => KeyValuePair.Create(pattern.Key, (double)pattern.Value)));
        json.WriteString("revision", config.Revision);
        WriteModules(json, "target_modules", config.TargetModules);
        json.WriteString("task_type", config.TaskType is { } task ? PeftSpelling.Of(PeftSpelling.TaskTypes, task) : null);
        json.WriteBoolean("use_dora", false);
        json.WriteBoolean("use_rslora", config.UseRslora);
        json.WriteEndObject();
    }

    private static void WriteModules(Utf8JsonWriter json, string key, TargetModules? modules)
    {
        if (modules?.RegularExpression is { } expression)
        {
            json.WriteString(key, expression);
        }
        else if (ReferenceEquals(modules, TargetModules.AllLinear))
        {
            json.WriteString(key, PeftSpelling.AllLinear);
        }
        else
        {
            WriteList(json, key, modules?.Names, json.WriteStringValue);
        }
    }

    private static void WriteInitialization(Utf8JsonWriter json, InitLoraWeights initialization)
    {
        json.WritePropertyName("init_lora_weights");
        if (initialization == InitLoraWeights.Gaussian)
        {
            json.WriteStringValue(PeftSpelling.Gaussian);
        }
        else
        {
            json.WriteBooleanValue(initialization == InitLoraWeights.KaimingUniform);
        }
    }

    private static void WriteList<T>(Utf8JsonWriter json, string key, IReadOnlyList<T>? values, Action<T> write)
    {
        if (values is null)
        {
            json.WriteNull(key);
            return;
        }

        json.WriteStartArray(key);
        foreach (var value in values)
        {
            write(value);
        }

        json.WriteEndArray();
    }

    private static void WriteMap(Utf8JsonWriter json, string key, IEnumerable<KeyValuePair<string, double>> map)
    {
        json.WriteStartObject(key);
        foreach (var (name, value) in map)
        {
            json.WritePropertyName(name);
            WriteNumber(json, value);
        }

        json.WriteEndObject();
    }

    // peft declares α an integer; a whole one is written as such.
    private static void WriteNumber(Utf8JsonWriter json, double value)
    {
        if (value == Math.Truncate(value) && Math.Abs(value) < 1L << 53)
        {
            json.WriteNumberValue((long)value);
        }
        else
        {
            json.WriteNumberValue(value);
        }
    }
}
