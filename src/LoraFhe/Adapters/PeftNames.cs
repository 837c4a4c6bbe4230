namespace LoraFhe;

/// <summary>The names of peft's files and of the tensors in them.</summary>
internal static class PeftNames
{
    public const string ConfigFile = "adapter_config.json";
    public const string WeightsFile = "adapter_model.safetensors";

    /// <summary>The adapter's name where none is given. Module names carry it, the file's do not.</summary>
    public const string Adapter = "default";

    public const string BaseModel = "base_model";
    public const string Model = "model";
    public const string BaseLayer = "base_layer";
    public const string Dropout = "lora_dropout";
    public const string LoraA = "lora_A";
    public const string LoraB = "lora_B";
    public const string EmbeddingA = "lora_embedding_A";
    public const string EmbeddingB = "lora_embedding_B";

    public const string Magnitude = "lora_magnitude_vector";

    /// <summary>Not peft's: what an adapter took out of its layer's weight.</summary>
    public const string Initial = "lora_initial";

    public const string OriginalModule = "original_module";
    public const string ModulesToSave = "modules_to_save";

    /// <summary>What stands before a module's name in the file: the two wrappers around the user's model.</summary>
    public const string Prefix = BaseModel + "." + Model + ".";

    // A dot parts a module's name; the others part or end paths on some system.
    private static readonly System.Buffers.SearchValues<char> NotInNames = System.Buffers.SearchValues.Create("./\\:*?\"<>|");

    private static readonly string[] Reserved =
        [BaseModel, BaseLayer, Dropout, LoraA, LoraB, EmbeddingA, EmbeddingB, Magnitude, Initial, OriginalModule, ModulesToSave, nameof(TorchSharp.torch.nn.Module.training)];

    // Children that hybrid training puts between a layer and its parameters; a file must not show them.
    private static readonly string[] HybridSegments = ["forward_module", "backward_module", "private_module"];

    /// <summary>The key of one of the model's own parameters in the file.</summary>
    public static string Key(string parameter) => Prefix + WithoutHybrid(parameter);

    /// <summary>The key as this project writes it: older files have the adapter's name in it.</summary>
    public static string Canonical(string key) => WithoutMagnitudesEnd(key)
        .Replace($".{LoraA}.{Adapter}.", $".{LoraA}.", StringComparison.Ordinal)
        .Replace($".{LoraB}.{Adapter}.", $".{LoraB}.", StringComparison.Ordinal)
        .Replace($".{EmbeddingA}.{Adapter}", $".{EmbeddingA}", StringComparison.Ordinal)
        .Replace($".{EmbeddingB}.{Adapter}", $".{EmbeddingB}", StringComparison.Ordinal);

    /// <summary>Whether an adapter can have this name: a module and a folder are called by it.</summary>
    public static bool IsAdapterName(string name) =>
        name.Length > 0 && !name.AsSpan().ContainsAny(NotInNames) && !name.Any(char.IsControl) && !Reserved.Contains(name, StringComparer.Ordinal)
        && !HybridSegments.Contains(name, StringComparer.Ordinal);

    // The file's name is older than the module that holds the parameter now.
    private static string WithoutMagnitudesEnd(string key) =>
        key.LastIndexOf($".{Magnitude}.", StringComparison.Ordinal) is >= 0 and var start && key[(start + Magnitude.Length + 2)..] is Adapter or $"{Adapter}.weight" or "weight"
            ? key[..(start + Magnitude.Length + 1)]
            : key;

    private static string WithoutHybrid(string name) =>
        string.Join('.', name.Split('.').Where(segment => !HybridSegments.Contains(segment, StringComparer.Ordinal)));
}
