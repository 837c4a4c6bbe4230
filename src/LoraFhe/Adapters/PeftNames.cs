namespace LoraFhe;

/// <summary>The names of peft's files and of the tensors in them.</summary>
internal static class PeftNames
{
    public const string ConfigFile = "adapter_config.json";
    public const string WeightsFile = "adapter_model.safetensors";

    /// <summary>The one adapter a model holds; peft's name for it. Module names carry it, the file's do not.</summary>
    public const string Adapter = "default";

    public const string BaseModel = "base_model";
    public const string Model = "model";
    public const string BaseLayer = "base_layer";
    public const string Dropout = "lora_dropout";
    public const string LoraA = "lora_A";
    public const string LoraB = "lora_B";

    /// <summary>What stands before a module's name in the file: the two wrappers around the user's model.</summary>
    public const string Prefix = BaseModel + "." + Model + ".";

    // Children that hybrid training puts between a layer and its parameters; a file must not show them.
    private static readonly string[] HybridSegments = ["forward_module", "backward_module", "private_module"];

    /// <summary>The key of a layer's A or B in the file.</summary>
    public static string Key(string layer, string matrix) => $"{Prefix}{layer}.{matrix}.weight";

    /// <summary>The key of one of the model's own parameters in the file.</summary>
    public static string Key(string parameter) => Prefix + WithoutHybrid(parameter);

    /// <summary>The key as this project writes it: older files have the adapter's name in it.</summary>
    public static string Canonical(string key) => key
        .Replace($".{LoraA}.{Adapter}.", $".{LoraA}.", StringComparison.Ordinal)
        .Replace($".{LoraB}.{Adapter}.", $".{LoraB}.", StringComparison.Ordinal);

    private static string WithoutHybrid(string name) =>
        string.Join('.', name.Split('.').Where(segment => !HybridSegments.Contains(segment, StringComparer.Ordinal)));
}
