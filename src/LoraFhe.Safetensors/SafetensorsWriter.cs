using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace LoraFhe.Safetensors;

/// <summary>Writes safetensors files, byte for byte as the reference library (0.8.0) does.</summary>
/// <remarks>
/// Tensors are placed by type, widest first, then by name; the header is padded with spaces to a multiple of eight bytes. Where there are
/// several metadata keys the reference library's order changes from run to run; here they are sorted.
/// </remarks>
public static class SafetensorsWriter
{
    private const int Alignment = 8;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Writes a file at once or not at all: to a temporary name in the same folder, flushed to disk, then renamed.</summary>
    /// <param name="path">The file to write; one that is there is replaced. Its folder must exist.</param>
    /// <param name="tensors">The tensors, in any order.</param>
    /// <param name="metadata">
    /// What <c>__metadata__</c> shall hold, <c>{"format": "pt"}</c> for files that Python's torch reads; null for none.
    /// </param>
    /// <exception cref="ArgumentException">
    /// Two tensors have one name, a name cannot be written, or data does not fit its shape and type.
    /// </exception>
    /// <exception cref="IOException">The file cannot be written, or its folder is missing; what was there is unchanged.</exception>
    public static void Write(string path, IEnumerable<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);
        SafetensorsTensor[] ordered = Order(tensors);
        byte[] header = Header(ordered, metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (SafetensorsTensor tensor in ordered)
            {
                stream.Write(tensor.Data.Span);
            }
        });
    }

    private static SafetensorsTensor[] Order(IEnumerable<SafetensorsTensor> tensors)
    {
        var named = new List<(SafetensorsTensor Tensor, byte[] Name)>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (SafetensorsTensor tensor in tensors)
        {
            Check(tensor);
            if (!names.Add(tensor.Name))
            {
                throw new ArgumentException(Errors.DuplicateTensor(tensor.Name), nameof(tensors));
            }

            named.Add((tensor, Utf8(tensor.Name, "tensor's name")));
        }

        // By UTF-8 bytes: UTF-16 order differs above U+FFFF.
        named.Sort((left, right) => right.Tensor.DType.CompareTo(left.Tensor.DType) is var byType && byType != 0
            ? byType
            : left.Name.AsSpan().SequenceCompareTo(right.Name));
        return [.. named.Select(item => item.Tensor)];
    }

    private static void Check(SafetensorsTensor tensor)
    {
        if (tensor.Name == "__metadata__")
        {
            throw new ArgumentException(Errors.ReservedName(), nameof(tensor));
        }

        UInt128 bits = (UInt128)tensor.DType.BitsPerElement();
        foreach (long dimension in tensor.Shape)
        {
            // Data is at most 2^34 bits, so the product may stop growing once it is past that.
            bits = dimension < 0 ? UInt128.MaxValue : UInt128.Min(bits, ulong.MaxValue) * (ulong)dimension;
        }

        if (bits != (UInt128)tensor.Data.Length * 8)
        {
            string shape = $"[{string.Join(", ", tensor.Shape)}]";
            throw new ArgumentException(Errors.DataDoesNotFit(tensor.Name, tensor.Data.Length, shape, tensor.DType.HeaderName()), nameof(tensor));
        }
    }

    private static byte[] Header(SafetensorsTensor[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var text = new StringBuilder("{");
        if (metadata is not null)
        {
            AppendMetadata(text, metadata);
        }

        long offset = 0;
        foreach (SafetensorsTensor tensor in tensors)
        {
            if (text.Length > 1)
            {
                text.Append(',');
            }

            long end = offset + tensor.Data.Length;
            AppendString(text, tensor.Name);
            text.Append(CultureInfo.InvariantCulture, $":{{\"dtype\":\"{tensor.DType.HeaderName()}\",\"shape\":[");
            text.AppendJoin(',', tensor.Shape);
            text.Append(CultureInfo.InvariantCulture, $"],\"data_offsets\":[{offset},{end}]}}");
            offset = end;
        }

        byte[] json = Utf8(text.Append('}').ToString(), "metadata string");
        byte[] header = new byte[(json.Length + Alignment - 1) / Alignment * Alignment];
        json.CopyTo(header, 0);
        header.AsSpan(json.Length).Fill((byte)' ');
        return header.Length <= SafetensorsHeader.MaxLength
            ? header
            : throw new ArgumentException(Errors.WrittenHeaderTooLarge(header.Length), nameof(tensors));
    }

    private static void AppendMetadata(StringBuilder text, IReadOnlyDictionary<string, string> metadata)
    {
        text.Append("\"__metadata__\":{");
        bool first = true;
        foreach ((string key, string value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (!first)
            {
                text.Append(',');
            }

            first = false;
            AppendString(text, key);
            text.Append(':');
            AppendString(text, value);
        }

        text.Append('}');
    }

    // Escapes only what JSON must, as the reference library does.
    private static void AppendString(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (char c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < ' ' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }

        text.Append('"');
    }

    private static byte[] Utf8(string text, string what)
    {
        try
        {
            return StrictUtf8.GetBytes(text);
        }
        catch (EncoderFallbackException)
        {
            throw new ArgumentException(Errors.NotUtf16(what), nameof(text));
        }
    }
}
