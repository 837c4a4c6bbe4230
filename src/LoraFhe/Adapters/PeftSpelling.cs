namespace LoraFhe;

/// <summary>How peft spells the values that are enumerations here.</summary>
internal static class PeftSpelling
{
    public const string AllLinear = "all-linear";

    // peft's true and false are KaimingUniform and Random.
    public static readonly (string Text, InitLoraWeights Value)[] Initializations =
    [
        ("gaussian", InitLoraWeights.Gaussian), ("orthogonal", InitLoraWeights.Orthogonal), ("pissa", InitLoraWeights.Pissa),
        ("olora", InitLoraWeights.Olora),
    ];

    public static readonly (string Text, LoraBias Value)[] Biases = [("none", LoraBias.None), ("all", LoraBias.All), ("lora_only", LoraBias.LoraOnly)];

    public static readonly (string Text, TaskType Value)[] TaskTypes =
    [
        ("SEQ_CLS", TaskType.SeqCls), ("SEQ_2_SEQ_LM", TaskType.Seq2SeqLm), ("CAUSAL_LM", TaskType.CausalLm), ("TOKEN_CLS", TaskType.TokenCls),
        ("QUESTION_ANS", TaskType.QuestionAns), ("FEATURE_EXTRACTION", TaskType.FeatureExtraction),
    ];

    /// <summary>How peft spells a value, or null if the table lacks it.</summary>
    public static string? Of<T>((string Text, T Value)[] table, T value)
        where T : struct, Enum => Array.Find(table, row => row.Value.Equals(value)).Text;
}
