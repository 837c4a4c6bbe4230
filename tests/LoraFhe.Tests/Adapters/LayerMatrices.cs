using TorchSharp.Modules;

namespace LoraFhe.Tests;

/// <summary>Short for what tests ask most of an adapted linear layer.</summary>
internal static class LayerMatrices
{
    /// <summary>An adapter's A, [r, in].</summary>
    public static Parameter A(this LoraLayer layer, string adapter = "default") => ((LoraLinear)layer).LoraA[adapter].weight;

    /// <summary>An adapter's B, [out, r].</summary>
    public static Parameter B(this LoraLayer layer, string adapter = "default") => ((LoraLinear)layer).LoraB[adapter].weight;
}
