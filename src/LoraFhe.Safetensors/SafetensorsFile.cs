using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace LoraFhe.Safetensors;

/// <summary>A safetensors file, checked when it is opened and read through a memory map: pages are loaded as they are asked for.</summary>
/// <remarks>
/// Reading is thread-safe; disposing is not, and spans from <see cref="Bytes"/> must not be used afterwards. A file that was
/// shortened while it is open is an error at the next read; shortened within a read, the system ends the process, as with every memory map. <see cref="SafetensorsWriter"/> never does; it
/// replaces the file, and an open one keeps its old content.
/// </remarks>
public sealed class SafetensorsFile : IDisposable
{
    private const int LengthBytes = 8;

    private readonly SafeFileHandle _handle;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly unsafe byte* _data;
    private readonly Dictionary<string, SafetensorsEntry> _byName;
    private bool _disposed;

    private unsafe SafetensorsFile(string path)
    {
        Path = path;
        FileName = System.IO.Path.GetFileName(path);
        _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        try
        {
            Length = RandomAccess.GetLength(_handle);
            if (Length < LengthBytes)
            {
                throw new InvalidDataException(Errors.TooShort(FileName, Length));
            }

            _file = MemoryMappedFile.CreateFromFile(_handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        }
        catch
        {
            _handle.Dispose();
            throw;
        }

        _view = _file.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        start += _view.PointerOffset;
        try
        {
            SafetensorsHeader header = ReadHeader(start);
            _data = start + LengthBytes + HeaderLength;
            Entries = header.Entries;
            Metadata = header.Metadata;
            _byName = Entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
        }
        catch
        {
            Release();
            throw;
        }
    }

    /// <summary>The path the file was opened by.</summary>
    public string Path { get; }

    /// <summary>The file's own name, as errors give it.</summary>
    public string FileName { get; }

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>The header's <c>__metadata__</c>; empty where it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Bytes of the header, padding included, without the length before it.</summary>
    public int HeaderLength { get; private set; }

    private long Length { get; }

    /// <summary>Opens a file and checks its header and that its data is exactly what the header says.</summary>
    /// <param name="path">The file's path.</param>
    /// <returns>The open file; the caller disposes it.</returns>
    /// <exception cref="InvalidDataException">The file is faulty; the text names the file and the tensor.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read, or is a folder.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new SafetensorsFile(path);
    }

    /// <summary>Whether the file has a tensor of this name.</summary>
    /// <param name="name">The tensor's name.</param>
    public bool Contains(string name) => _byName.ContainsKey(name);

    /// <summary>Looks a tensor up.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="entry">Where it lies, when the file has it.</param>
    /// <returns>Whether the file has it.</returns>
    public bool TryGet(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SafetensorsEntry? entry) =>
        _byName.TryGetValue(name, out entry);

    /// <summary>Looks a tensor up that must be there.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <exception cref="InvalidDataException">The file has no such tensor.</exception>
    public SafetensorsEntry Entry(string name) =>
        TryGet(name, out SafetensorsEntry? entry) ? entry : throw new InvalidDataException(Errors.NoTensor(FileName, name));

    /// <summary>A tensor's bytes where they are mapped: little-endian, row-major, not necessarily aligned.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <returns>The bytes, valid until the file is disposed.</returns>
    /// <exception cref="InvalidDataException">The file has no such tensor, or it is larger than a span (2 GiB).</exception>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public unsafe ReadOnlySpan<byte> Bytes(string name)
    {
        CheckReadable();
        SafetensorsEntry entry = Entry(name);
        return entry.ByteLength <= Array.MaxLength
            ? new ReadOnlySpan<byte>(_data + entry.Begin, (int)entry.ByteLength)
            : throw new InvalidDataException(Errors.TooLarge(FileName, entry));
    }

    /// <summary>Reads a tensor of F32, F16, BF16 or F64 as single precision.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <returns>Its elements, row-major. F16 and BF16 are exact; F64 is rounded to nearest.</returns>
    /// <exception cref="InvalidDataException">The file has no such tensor, its type is another, or it is too large for an array.</exception>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public float[] ReadSingles(string name)
    {
        float[] values = new float[ArrayLength(name)];
        ReadSingles(name, values);
        return values;
    }

    /// <summary>Reads a tensor of F32, F16, BF16 or F64 as single precision into the caller's memory.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="destination">As many elements as the tensor has.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> has another length.</exception>
    /// <exception cref="InvalidDataException">The file has no such tensor, or its type is another.</exception>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public void ReadSingles(string name, Span<float> destination) => Read(name, destination, ElementReader.Singles(Entry(name).DType), "float32");

    /// <summary>Reads a tensor of F64, F32, F16 or BF16 as double precision, exactly.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <returns>Its elements, row-major.</returns>
    /// <exception cref="InvalidDataException">The file has no such tensor, its type is another, or it is too large for an array.</exception>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public double[] ReadDoubles(string name)
    {
        double[] values = new double[ArrayLength(name)];
        Read(name, values, ElementReader.Doubles(Entry(name).DType), "float64");
        return values;
    }

    /// <summary>Reads a tensor of any integer type, or BOOL (0 or 1), as 64-bit integers.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <returns>Its elements, row-major.</returns>
    /// <exception cref="InvalidDataException">
    /// The file has no such tensor, its type is another, a U64 value is above 2^63 - 1, or it is too large for an array.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public long[] ReadInt64s(string name)
    {
        long[] values = new long[ArrayLength(name)];
        try
        {
            Read(name, values, ElementReader.Integers(Entry(name).DType), "int64");
        }
        catch (OverflowException)
        {
            throw new InvalidDataException(Errors.BeyondInt64(FileName, Entry(name)));
        }

        return values;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            Release();
        }
    }

    private unsafe SafetensorsHeader ReadHeader(byte* start)
    {
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(start, LengthBytes));
        if (length > SafetensorsHeader.MaxLength)
        {
            throw new InvalidDataException(Errors.HeaderTooLarge(FileName, length));
        }

        if ((long)length > Length - LengthBytes)
        {
            throw new InvalidDataException(Errors.HeaderBeyondFile(FileName, length, Length - LengthBytes));
        }

        HeaderLength = (int)length;
        return SafetensorsHeader.Parse(new ReadOnlySpan<byte>(start + LengthBytes, HeaderLength), Length - LengthBytes - HeaderLength, FileName);
    }

    private int ArrayLength(string name)
    {
        SafetensorsEntry entry = Entry(name);
        return entry.ElementCount <= Array.MaxLength ? (int)entry.ElementCount : throw new InvalidDataException(Errors.TooLarge(FileName, entry));
    }

    private unsafe void Read<T>(string name, Span<T> destination, ElementReader.Converter<T>? convert, string what)
    {
        CheckReadable();
        SafetensorsEntry entry = Entry(name);
        if (convert is null)
        {
            throw new InvalidDataException(Errors.NotReadableAs(FileName, entry, what));
        }

        if (destination.Length != entry.ElementCount)
        {
            throw new ArgumentException(Errors.DestinationLength(entry, destination.Length), nameof(destination));
        }

        // In pieces: a float32 tensor of 2^30 elements has more bytes than a span can hold.
        const int Piece = 1 << 20;
        int width = entry.DType.BitsPerElement() / 8;
        for (int done = 0; done < destination.Length; done += Piece)
        {
            int count = Math.Min(Piece, destination.Length - done);
            convert(new ReadOnlySpan<byte>(_data + entry.Begin + ((long)done * width), count * width), destination.Slice(done, count));
        }
    }

    // The system ends a process that reads a mapping beyond its file's end.
    private void CheckReadable()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (RandomAccess.GetLength(_handle) is var found && found < Length)
        {
            throw new InvalidDataException(Errors.CutWhileOpen(FileName, found, Length));
        }
    }

    private void Release()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
        _handle.Dispose();
    }
}
