using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LoraFhe;

/// <summary>A tensor's memory as a span, without a copy. Keep the tensor alive while the span is used.</summary>
internal static class TensorData
{
    /// <summary>Reads a float32, contiguous CPU tensor of at most 2³¹ − 1 bytes.</summary>
    public static ReadOnlySpan<float> Read(Tensor tensor) => Write(tensor);

    /// <summary>Writes to a float32, contiguous CPU tensor of at most 2³¹ − 1 bytes.</summary>
    public static Span<float> Write(Tensor tensor) =>
        tensor.numel() == 0 ? [] : MemoryMarshal.Cast<byte, float>(tensor.bytes);
}
