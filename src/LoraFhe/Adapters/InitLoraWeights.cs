namespace LoraFhe;

/// <summary>How a new adapter's two matrices start (peft's <c>init_lora_weights</c>).</summary>
public enum InitLoraWeights
{
    /// <summary>peft's <c>true</c>: A Kaiming-uniform with a = √5, that is uniform within ±1/√in; B zero, so the model starts unchanged.</summary>
    KaimingUniform,

    /// <summary>peft's <c>"gaussian"</c>: A from N(0, 1/r²), a standard deviation of 1/r; B zero.</summary>
    Gaussian,

    /// <summary>peft's <c>false</c>: A and B as a new linear layer, A within ±1/√in, B within ±1/√r. For tests: the model starts changed.</summary>
    Random,

    /// <summary>peft's <c>"orthogonal"</c>: rows of A and columns of B mix the odd and the even rows of one orthogonal matrix, so B·A starts at
    /// zero though neither is. The rank must be even.</summary>
    Orthogonal,

    /// <summary>peft's <c>"pissa"</c> (PiSSA, arXiv 2404.02948): s·B·A is the weight's best approximation of rank r, from its singular values, and
    /// is subtracted from the weight. The model starts unchanged to within rounding.</summary>
    Pissa,

    /// <summary>peft's <c>"olora"</c> (OLoRA, arXiv 2406.01775): B and A are the first r columns of Q and rows of R of the weight's QR decomposition,
    /// and s·B·A is subtracted from the weight. The model starts unchanged to within rounding.</summary>
    Olora,
}
