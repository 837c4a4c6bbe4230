using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using LoraFhe.Safetensors;

namespace LoraFhe;

/// <summary>Writes <c>adapter_config.json</c>, sorted, indented by two: the keys that every peft since 0.10 knows, newer ones where they
/// are set, and those that came with the configuration from a file.</summary>
/// <remarks>An older peft would refuse a key that it does not know, even one that says nothing.</remarks>
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
        json.WriteStartObject();
        foreach (var (key, write) in Members(json, config))
        {
            json.WritePropertyName(key);
            write();
        }

        json.WriteEndObject();
    });

    private static SortedDictionary<string, Action> Members(Utf8JsonWriter json, LoraConfig config)
    {
        var members = new SortedDictionary<string, Action>(StringComparer.Ordinal)
        {
            ["alpha_pattern"] = () => WriteMap(json, config.AlphaPattern),
            ["base_model_name_or_path"] = () => json.WriteStringValue(config.BaseModelNameOrPath),
            ["bias"] = () => json.WriteStringValue(PeftSpelling.Of(PeftSpelling.Biases, config.Bias)),
            ["exclude_modules"] = () => WriteModules(json, config.ExcludeModules),
            ["fan_in_fan_out"] = () => json.WriteBooleanValue(config.FanInFanOut),
            ["inference_mode"] = () => json.WriteBooleanValue(true),
            ["init_lora_weights"] = () => WriteInitialization(json, config.InitLoraWeights),
            ["layers_pattern"] = () => WriteList(json, config.LayersPattern, json.WriteStringValue, IsAlone(config, "layers_pattern")),
            ["layers_to_transform"] = () => WriteList(json, config.LayersToTransform, json.WriteNumberValue, IsAlone(config, "layers_to_transform")),
            ["lora_alpha"] = () => WriteNumber(json, config.LoraAlpha),
            ["lora_dropout"] = () => json.WriteRawValue(config.LoraDropout == 0 ? "0.0" : config.LoraDropout.ToString("R", CultureInfo.InvariantCulture)),
            ["modules_to_save"] = () => WriteList(json, config.ModulesToSave, json.WriteStringValue),
            ["peft_type"] = () => json.WriteStringValue("LORA"),
            ["r"] = () => json.WriteNumberValue(config.R),
            ["rank_pattern"] = () => WriteMap(json, config.RankPattern.Select(pattern => KeyValuePair.Create(pattern.Key, (double)pattern.Value))),
            ["revision"] = () => json.WriteStringValue(config.Revision),
            ["target_modules"] = () => WriteModules(json, config.TargetModules),
            ["task_type"] = () => json.WriteStringValue(config.TaskType is { } task ? PeftSpelling.Of(PeftSpelling.TaskTypes, task) : null),
            ["use_dora"] = () => json.WriteBooleanValue(config.UseDora),
            ["use_rslora"] = () => json.WriteBooleanValue(config.UseRslora),
        };
        if (config.LoraBias)
        {
            members["lora_bias"] = () => json.WriteBooleanValue(true);
        }

        foreach (var (key, value) in config.Carried)
        {
            members.TryAdd(key, () => value.WriteTo(json));
        }

        return members;
    }

    private static void WriteModules(Utf8JsonWriter json, TargetModules? modules)
    {
        if (modules?.RegularExpression is { } expression)
        {
            json.WriteStringValue(expression);
        }
        else if (ReferenceEquals(modules, TargetModules.AllLinear))
        {
            json.WriteStringValue(PeftSpelling.AllLinear);
        }
        else
        {
            WriteList(json, modules?.Names, json.WriteStringValue);
        }
    }

    private static void WriteInitialization(Utf8JsonWriter json, InitLoraWeights initialization)
    {
        if (PeftSpelling.Of(PeftSpelling.Initializations, initialization) is { } name)
        {
            json.WriteStringValue(name);
        }
        else
        {
            json.WriteBooleanValue(initialization == InitLoraWeights.KaimingUniform);
        }
    }

    // Whether the file that the options came from had one value without a list around it.
    private static bool IsAlone(LoraConfig config, string key) =>
        config.Carried.TryGetValue(key, out var value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Number;

    private static void WriteList<T>(Utf8JsonWriter json, IReadOnlyList<T>? values, Action<T> write, bool isAlone = false)
    {
        if (values is null)
        {
            json.WriteNullValue();
            return;
        }

        if (isAlone && values is [var only])
        {
            write(only);
            return;
        }

        json.WriteStartArray();
        foreach (var value in values)
        {
            write(value);
        }

        json.WriteEndArray();
    }

    private static void WriteMap(Utf8JsonWriter json, IEnumerable<KeyValuePair<string, double>> map)
    {
        json.WriteStartObject();
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
