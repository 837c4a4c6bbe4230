using LoraFhe.Cryptography;

namespace LoraFhe.Benchmarks;

/// <summary>How much of a process's memory is hints.</summary>
internal static class HintMemory
{
    /// <summary>Bytes of the hints of all products that layers need: execute has them made, other modes do without.</summary>
    public static long BytesOf(IEnumerable<FheLayer> layers, HybridFheMode mode) => mode != HybridFheMode.Execute ? 0 : layers.Sum(layer => Enum.GetValues<LayerDirection>()
        .Where(layer.Needs)
        .Sum(direction => HintMaker.HintWords(layer.Weights.Outputs(direction)) * sizeof(uint)));
}
