using LoraFhe.Cryptography;

namespace LoraFhe.Benchmarks;

/// <summary>The sizes of a Llama, and what they make a step do: counted, not measured.</summary>
/// <param name="Name">What tables call it.</param>
/// <param name="Hidden">Width between layers.</param>
/// <param name="Inner">Width inside the feed-forward part.</param>
/// <param name="KeyValue">Width of keys, and of values.</param>
/// <param name="Layers">Layers.</param>
/// <param name="Vocabulary">Tokens it knows.</param>
internal sealed record TransformerShape(string Name, int Hidden, int Inner, int KeyValue, int Layers, int Vocabulary)
{
    public static TransformerShape SmolLm2(int layers) => new("SmolLM2-135M", 576, 1536, 192, layers, 49152);

    public static TransformerShape Llama1B { get; } = new("Llama-3.2-1B", 2048, 8192, 512, 16, 128256);

    public static TransformerShape Llama8B { get; } = new("Llama-3.1-8B", 4096, 14336, 1024, 32, 128256);

    /// <summary>The encrypted products of a layer: q, k and v are one, and so are gate and up.</summary>
    public IReadOnlyList<(int Inputs, int Outputs)> Products =>
    [
        (Hidden, Hidden + (2 * KeyValue)), (Hidden, Hidden), (Hidden, 2 * Inner), (Inner, Hidden),
    ];

    /// <summary>Frozen weights of all layers.</summary>
    public double Weights => Layers * Products.Sum(product => (double)product.Inputs * product.Outputs);

    /// <summary>Multiply-adds of a token's step in the frozen layers: forward, and backward but for the very first product.</summary>
    public double MultiplyAdds => (2 * Weights) - ((double)Products[0].Inputs * Products[0].Outputs);

    /// <summary>Encrypted calls of a step.</summary>
    public int Calls => (2 * Layers * Products.Count) - 1;

    /// <summary>Numbers a token's step encrypts.</summary>
    public double Encrypted => (Layers * Products.Sum(product => (double)product.Inputs + product.Outputs)) - Products[0].Outputs;

    /// <summary>Numbers a token's step decrypts.</summary>
    public double Decrypted => (Layers * Products.Sum(product => (double)product.Inputs + product.Outputs)) - Products[0].Inputs;

    /// <summary>Bytes of all hints.</summary>
    public double HintBytes => Decrypted * EncryptedLinearParameters.SecretDimension * sizeof(uint);

    /// <summary>Multiply-adds of a token's step in the head, which stays with the client: forward, and backward to its input.</summary>
    public double HeadMultiplyAdds => 2.0 * Hidden * Vocabulary;

    /// <summary>What the clear rest of the layers grows with: numbers a token has between and inside them.</summary>
    public double Elements => (double)Layers * (Hidden + Inner);
}
