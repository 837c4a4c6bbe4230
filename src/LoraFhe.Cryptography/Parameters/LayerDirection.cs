namespace LoraFhe.Cryptography;

/// <summary>Which of a frozen layer's two products is meant.</summary>
public enum LayerDirection
{
    /// <summary><c>Y = X·Wᵀ</c>: activations in, activations out.</summary>
    Forward = 0,

    /// <summary><c>G·W</c>: gradients of the outputs in, gradients of the inputs out.</summary>
    Backward = 1,
}
