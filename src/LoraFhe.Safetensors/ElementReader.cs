using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace LoraFhe.Safetensors;

/// <summary>Conversions of a tensor's little-endian bytes, a method an element type. Sources need no alignment.</summary>
internal static class ElementReader
{
    /// <summary>Converts <c>destination.Length</c> elements.</summary>
    public delegate void Converter<T>(ReadOnlySpan<byte> source, Span<T> destination);

    private delegate T Element<T>(ReadOnlySpan<byte> source);

    /// <summary>The conversion to single precision; null where there is none.</summary>
    public static Converter<float>? Singles(SafetensorsDType dtype) => dtype switch
    {
        SafetensorsDType.F32 => CopySingles,
        SafetensorsDType.F16 => WidenHalves,
        SafetensorsDType.BF16 => WidenBrainFloats,
        SafetensorsDType.F64 => Each(8, source => (float)BinaryPrimitives.ReadDoubleLittleEndian(source)),
        _ => null,
    };

    /// <summary>The conversion to double precision; null where there is none.</summary>
    public static Converter<double>? Doubles(SafetensorsDType dtype) => dtype switch
    {
        SafetensorsDType.F32 => Each(4, source => (double)BinaryPrimitives.ReadSingleLittleEndian(source)),
        SafetensorsDType.F16 => Each(2, source => (double)BinaryPrimitives.ReadHalfLittleEndian(source)),
        SafetensorsDType.BF16 => Each(2, source => (double)BrainFloat(BinaryPrimitives.ReadUInt16LittleEndian(source))),
        SafetensorsDType.F64 => Each(8, BinaryPrimitives.ReadDoubleLittleEndian),
        _ => null,
    };

    /// <summary>The conversion to 64-bit integers; null where there is none. U64 throws <see cref="OverflowException"/> above 2^63 - 1.</summary>
    public static Converter<long>? Integers(SafetensorsDType dtype) => dtype switch
    {
        SafetensorsDType.Bool => Each(1, source => source[0] == 0 ? 0L : 1L),
        SafetensorsDType.U8 => Each(1, source => (long)source[0]),
        SafetensorsDType.I8 => Each(1, source => (long)(sbyte)source[0]),
        SafetensorsDType.I16 => Each(2, source => (long)BinaryPrimitives.ReadInt16LittleEndian(source)),
        SafetensorsDType.U16 => Each(2, source => (long)BinaryPrimitives.ReadUInt16LittleEndian(source)),
        SafetensorsDType.I32 => Each(4, source => (long)BinaryPrimitives.ReadInt32LittleEndian(source)),
        SafetensorsDType.U32 => Each(4, source => (long)BinaryPrimitives.ReadUInt32LittleEndian(source)),
        SafetensorsDType.I64 => Each(8, BinaryPrimitives.ReadInt64LittleEndian),
        SafetensorsDType.U64 => Each(8, source => checked((long)BinaryPrimitives.ReadUInt64LittleEndian(source))),
        _ => null,
    };

    private static void CopySingles(ReadOnlySpan<byte> source, Span<float> destination)
    {
        source.CopyTo(MemoryMarshal.AsBytes(destination));
        if (!BitConverter.IsLittleEndian)
        {
            Span<int> words = MemoryMarshal.Cast<float, int>(destination);
            BinaryPrimitives.ReverseEndianness(words, words);
        }
    }

    private static void WidenHalves(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(source[(2 * i)..]);
        }
    }

    private static void WidenBrainFloats(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = BrainFloat(BinaryPrimitives.ReadUInt16LittleEndian(source[(2 * i)..]));
        }
    }

    private static float BrainFloat(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    private static Converter<T> Each<T>(int width, Element<T> element) => (source, destination) =>
    {
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = element(source[(width * i)..]);
        }
    };
}
