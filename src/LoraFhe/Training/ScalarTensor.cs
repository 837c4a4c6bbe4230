using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>Reads tensors of one element.</summary>
internal static class ScalarTensor
{
    /// <summary>The element as double precision, whatever its floating type. The tensor stays the caller's.</summary>
    public static double ToDouble(this Tensor tensor)
    {
        using var wide = tensor.to(float64, copy: true);
        return wide.item<double>();
    }
}
