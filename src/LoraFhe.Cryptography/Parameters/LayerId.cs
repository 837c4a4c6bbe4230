namespace LoraFhe.Cryptography;

/// <summary>Names one product of one frozen layer.</summary>
/// <param name="Name">The layer's dotted name in its model.</param>
/// <param name="Direction">Which of its two products.</param>
public readonly record struct LayerId(string Name, LayerDirection Direction);
