namespace LoraFhe;

/// <summary>What a model is fine-tuned for (peft's <c>task_type</c>).</summary>
public enum TaskType
{
    /// <summary>Next-token prediction: <c>CAUSAL_LM</c>.</summary>
    CausalLm,

    /// <summary>Sequence to sequence: <c>SEQ_2_SEQ_LM</c>.</summary>
    Seq2SeqLm,

    /// <summary>A class for a text: <c>SEQ_CLS</c>.</summary>
    SeqCls,

    /// <summary>A class for each token: <c>TOKEN_CLS</c>.</summary>
    TokenCls,

    /// <summary>Answers in a text: <c>QUESTION_ANS</c>.</summary>
    QuestionAns,

    /// <summary>Embeddings of a text: <c>FEATURE_EXTRACTION</c>.</summary>
    FeatureExtraction,
}
