using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace LoraFhe.Safetensors;

/// <summary>A tensor to be written.</summary>
/// <param name="Name">Its name; not <c>__metadata__</c>.</param>
/// <param name="DType">The type of its elements.</param>
/// <param name="Shape">Its dimensions, outermost first; empty for a scalar.</param>
/// <param name="Data">Its elements, row-major and little-endian; not copied, so they must stay as they are until the file is written.</param>
public sealed record SafetensorsTensor(string Name, SafetensorsDType DType, IReadOnlyList<long> Shape, ReadOnlyMemory<byte> Data)
{
    /// <summary>An F32 tensor from a copy of the caller's values.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">Its dimensions.</param>
    /// <param name="values">Its elements, row-major.</param>
    public static SafetensorsTensor FromSingles(string name, IReadOnlyList<long> shape, ReadOnlySpan<float> values)
    {
        byte[] data = new byte[values.Length * sizeof(float)];
        Span<int> words = MemoryMarshal.Cast<byte, int>(data.AsSpan());
        MemoryMarshal.Cast<float, int>(values).CopyTo(words);
        if (!BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(words, words);
        }

        return new SafetensorsTensor(name, SafetensorsDType.F32, shape, data);
    }

    /// <summary>An I64 tensor from a copy of the caller's values.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">Its dimensions.</param>
    /// <param name="values">Its elements, row-major.</param>
    public static SafetensorsTensor FromInt64s(string name, IReadOnlyList<long> shape, ReadOnlySpan<long> values)
    {
        byte[] data = new byte[values.Length * sizeof(long)];
        Span<long> words = MemoryMarshal.Cast<byte, long>(data.AsSpan());
        values.CopyTo(words);
        if (!BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(words, words);
        }

        return new SafetensorsTensor(name, SafetensorsDType.I64, shape, data);
    }
}
