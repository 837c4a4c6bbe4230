namespace LoraFhe.Models;

/// <summary>How a Llama's rotary frequencies are scaled to longer texts than it was first trained on.</summary>
public enum RotaryType
{
    /// <summary>Unscaled.</summary>
    Default,

    /// <summary>All frequencies divided by the factor.</summary>
    Linear,

    /// <summary>Llama 3.1's rule: short waves stay, long waves are divided by the factor, those between are blended.</summary>
    Llama3,
}
