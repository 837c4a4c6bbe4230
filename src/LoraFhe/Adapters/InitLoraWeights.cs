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
}
