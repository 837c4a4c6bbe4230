using System.Buffers.Binary;

namespace LoraFhe.Benchmarks;

/// <summary>Messages over a stream, each behind its length and kind. The buffer is used again for every message that is read.</summary>
internal sealed class FrameStream(Stream stream) : IDisposable
{
    private const int HeaderSize = sizeof(int) + 1;
    private const int MaxLength = 1 << 30;
    private byte[] _buffer = [];

    /// <summary>Writes one message in two parts.</summary>
    public void Write(FrameKind kind, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        BinaryPrimitives.WriteInt32LittleEndian(header, checked(first.Length + second.Length));
        header[^1] = (byte)kind;
        stream.Write(header);
        stream.Write(first);
        stream.Write(second);
        stream.Flush();
    }

    /// <summary>Reads one message, valid until the next is read; null at the end of the stream.</summary>
    /// <exception cref="InvalidDataException">A length is out of range.</exception>
    /// <exception cref="EndOfStreamException">The stream ends within a message.</exception>
    public (FrameKind Kind, ReadOnlyMemory<byte> Content)? Read()
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        if (stream.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false) is var got && got < HeaderSize)
        {
            return got == 0 ? null : throw new EndOfStreamException("The connection ended within a message's header.");
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length is < 0 or > MaxLength)
        {
            throw new InvalidDataException($"A message of {length} bytes was announced. Expected 0 to {MaxLength}.");
        }

        if (_buffer.Length < length)
        {
            _buffer = new byte[length];
        }

        stream.ReadExactly(_buffer, 0, length);
        return ((FrameKind)header[^1], _buffer.AsMemory(0, length));
    }

    public void Dispose() => stream.Dispose();
}
