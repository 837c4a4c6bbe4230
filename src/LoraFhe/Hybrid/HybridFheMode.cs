namespace LoraFhe;

/// <summary>How the frozen layers of a <see cref="HybridFheModel"/> are computed.</summary>
public enum HybridFheMode
{
    /// <summary>The quantized weights in clear: exactly what <see cref="Execute"/> computes, without its noise.</summary>
    Disable = 0,

    /// <summary>As <see cref="Disable"/>, with errors drawn from the distribution of <see cref="Execute"/>; nothing is encrypted.</summary>
    Simulate,

    /// <summary>Real encryption, through the model's <see cref="IFheBackend"/>.</summary>
    Execute,

    /// <summary>The float weights in clear: ordinary training.</summary>
    Torch,
}
