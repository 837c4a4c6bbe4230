namespace LoraFhe.Parity.Tests.BrokenAdapters;

/// <summary>What becomes of a faulty adapter here.</summary>
internal static class Verdicts
{
    private const string Q = "base_model.model.model.layers.0.self_attn.q_proj";
    private const string Weights = "adapter_model.safetensors: ";
    private const string Config = "adapter_config.json: ";

    /// <summary>Refused as in Python: the beginning of the message, which names file and key.</summary>
    public static readonly IReadOnlyDictionary<string, string> Refused = new Dictionary<string, string>
    {
        ["alpha-missing"] = $"{Weights}'{Q}.lora_A.weight' is [4, 48]; the layer needs [8, 48].",
        ["bias-unknown"] = $"{Config}'bias' is 'sometimes'; it must be one of 'none', 'all', 'lora_only'.",
        ["config-array"] = $"{Config}its JSON is not an object.",
        ["config-missing"] = "Folder 'config-missing' has no 'adapter_config.json'.",
        ["config-not-json"] = $"{Config}not valid JSON at line 1, byte ",
        ["layers-out-of-range"] = $"{Config}No linear layer of 'LlamaForCausalLM' matches target modules",
        ["layers-with-regex"] = $"{Config}LayersToTransform is set and TargetModules is a regular expression.",
        ["modules-to-save-missing"] = $"{Weights}'base_model.model.lm_head.weight' is missing.",
        ["peft-type-missing"] = $"{Config}'peft_type' is missing.",
        ["peft-type-unknown"] = $"{Config}'peft_type' is 'FOOTUNER'; only 'LORA' is supported.",
        ["rank-negative"] = $"{Config}R is -3; a rank is at least 1.",
        ["rank-string"] = $"{Config}'r' is a JSON String; an integer was expected.",
        ["rank-zero"] = $"{Config}R is 0; a rank is at least 1.",
        ["target-bad-regex"] = $"{Config}TargetModules: '.*(q_proj' is not a regular expression that can be used: ",
        ["target-layernorm"] = $"{Config}Target modules 'q_proj', 'v_proj', 'input_layernorm' match 'model.layers.0.input_layernorm', a 'LlamaRmsNorm'",
        ["target-no-match"] = $"{Config}No linear layer of 'LlamaForCausalLM' matches target modules 'nonexistent_proj'",
        ["task-type-unknown"] = $"{Config}'task_type' is 'WRITE_POEMS'; it must be one of 'SEQ_CLS', ",
        ["weights-corrupt"] = $"{Weights}5368 bytes of data; the header's tensors take 5376.",
        ["weights-missing"] = "Folder 'weights-missing' has no 'adapter_model.safetensors'.",
        ["wrong-base"] = $"{Weights}'{Q}.lora_A.weight' is [4, 56]; the layer needs [4, 48].",
        ["wrong-rank"] = $"{Weights}'{Q}.lora_A.weight' is [4, 48]; the layer needs [5, 48].",
        ["wrong-shape-A"] = $"{Weights}'{Q}.lora_A.weight' is [4, 49]; the layer needs [4, 48].",
        ["wrong-shape-B"] = $"{Weights}'base_model.model.transformer.h.0.attn.c_attn.lora_B.weight' is [4, 144]; the layer needs [144, 4].",
    };

    /// <summary>Refused here, though peft goes on, silently or with a warning: the model would be another than the file means.</summary>
    public static readonly IReadOnlyDictionary<string, (string Message, string Why)> Stricter = new Dictionary<string, (string, string)>
    {
        ["dora-without-magnitude"] = ($"{Weights}'{Q}.lora_magnitude_vector' and 3 more tensors are missing.", "the norms would stay as they began"),
        ["empty-file"] = ($"{Weights}'{Q}.lora_A.weight' and 7 more tensors are missing.", "it would be the bare model"),
        ["extra-layer"] = ($"{Weights}'base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight' belongs to no adapted layer", "a part of the adapter would not act"),
        ["extra-layer-index"] = ($"{Weights}'base_model.model.model.layers.17.self_attn.q_proj.lora_A.weight' belongs to no adapted layer", "a part of the adapter would not act"),
        ["extra-tensor"] = ($"{Weights}'base_model.model.transformer.h.0.attn.c_attn.lora_Z.weight' belongs to no adapted layer", "a part of the file would not act"),
        ["int-tensor"] = ($"{Weights}'{Q}.lora_A.weight' is I64; a floating-point type was expected.", "values were rounded to whole numbers before"),
        ["missing-layer"] = ($"{Weights}'base_model.model.transformer.h.0.attn.c_attn.lora_A.weight' and 1 more tensors are missing.", "the layer's adapter would be a fresh one"),
        ["missing-tensor"] = ($"{Weights}'{Q}.lora_B.weight' is missing.", "the layer's adapter would do nothing"),
        ["nan-tensor"] = ($"{Weights}'{Q}.lora_A.weight' has a value that is not finite.", "libtorch's attention takes such scores for masked ones, so that the answers look sound"),
        ["no-prefix"] = ($"{Weights}'model.layers.0.self_attn.q_proj.lora_A.weight' belongs to no adapted layer", "it would be the bare model"),
        ["peft-type-ia3"] = ($"{Config}'peft_type' is 'IA3'; only 'LORA' is supported.", "the file's method is another"),
    };
}
