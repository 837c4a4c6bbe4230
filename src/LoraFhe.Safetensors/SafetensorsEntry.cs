namespace LoraFhe.Safetensors;

/// <summary>Where one tensor lies in a file, checked: its shape times its width is exactly <c>End - Begin</c> bytes.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="DType">The type of its elements.</param>
/// <param name="Shape">Its dimensions, outermost first; empty for a scalar. Data is row-major.</param>
/// <param name="Begin">Offset of its first byte in the file's data section.</param>
/// <param name="End">Offset after its last byte.</param>
public sealed record SafetensorsEntry(string Name, SafetensorsDType DType, IReadOnlyList<long> Shape, long Begin, long End)
{
    /// <summary>Bytes of data.</summary>
    public long ByteLength => End - Begin;

    /// <summary>Elements: the product of the shape, 1 for a scalar.</summary>
    public long ElementCount => DType.BitsPerElement() is var bits && bits >= 8 ? ByteLength / (bits / 8) : ByteLength * 8 / bits;
}
