using System.Text.Json;
using System.Text.Unicode;

namespace LoraFhe.Safetensors;

/// <summary>Parses and checks a file's header. Nothing is allocated by a size that the header states.</summary>
/// <remarks>
/// Accepts what the reference library (0.8.0) accepts, white space before the brace and an entry written as an array included, but for
/// two things: a name given twice is refused even where both entries agree, and so is a dimension above 2^63 - 1 beside a zero.
/// </remarks>
internal sealed class SafetensorsHeader
{
    /// <summary>The longest header that is read or written, in bytes: the reference library's limit.</summary>
    public const int MaxLength = 100_000_000;

    private const string MetadataName = "__metadata__";

    // The reference library's JSON parser stops at this depth.
    private const int MaxDepth = 127;

    private readonly string _file;
    private readonly List<SafetensorsEntry> _entries = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private Dictionary<string, string>? _metadata;
    private bool _metadataSeen;

    private SafetensorsHeader(string file) => _file = file;

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; private set; } = [];

    /// <summary>The metadata, empty where the header has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata ?? new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Parses a header.</summary>
    /// <param name="json">The header's bytes, without the length before them.</param>
    /// <param name="dataLength">Bytes that follow the header in the file.</param>
    /// <param name="file">The file's name, for errors.</param>
    /// <exception cref="InvalidDataException">The header is faulty; the text names the file and the tensor.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataLength, string file)
    {
        if (!Utf8.IsValid(json))
        {
            throw new InvalidDataException(Errors.HeaderNotUtf8(file));
        }

        var header = new SafetensorsHeader(file);
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            header.ReadObject(ref reader);
        }
        catch (JsonException)
        {
            throw new InvalidDataException(Errors.HeaderNotJson(file, reader.BytesConsumed));
        }

        header.CheckCoverage(dataLength);
        return header;
    }

    private void ReadObject(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InvalidDataException(Errors.HeaderNotObject(_file));
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = Text(ref reader);
            reader.Read();
            if (name == MetadataName)
            {
                ReadMetadata(ref reader);
            }
            else if (!_names.Add(name))
            {
                throw new InvalidDataException(Errors.DuplicateName(_file, name));
            }
            else
            {
                _entries.Add(ReadEntry(ref reader, name));
            }
        }

        // One more read: it throws if anything but white space follows the object.
        reader.Read();
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (_metadataSeen)
        {
            throw new InvalidDataException(Errors.BadMetadata(_file));
        }

        _metadataSeen = true;
        if (reader.TokenType == JsonTokenType.Null)
        {
            return;
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InvalidDataException(Errors.BadMetadata(_file));
        }

        _metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = Text(ref reader);
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                throw new InvalidDataException(Errors.BadMetadata(_file));
            }

            _metadata[key] = Text(ref reader);
        }
    }

    private SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        SafetensorsDType? dtype = null;
        List<ulong>? shape = null;
        List<ulong>? offsets = null;
        bool isArray = reader.TokenType == JsonTokenType.StartArray;
        if (!isArray && reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InvalidDataException(Errors.BadEntry(_file, name));
        }

        for (int position = 0; reader.Read() && reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray); position++)
        {
            string? field = isArray ? ArrayField(position) : Text(ref reader);
            if (!isArray)
            {
                reader.Read();
            }

            switch (field)
            {
                case "dtype" when dtype is null:
                    dtype = ReadDType(ref reader, name);
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(ref reader, name, field, int.MaxValue);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref reader, name, field, 2);
                    break;
                case "dtype" or "shape" or "data_offsets" or null:
                    throw new InvalidDataException(Errors.BadEntry(_file, name));
                default:
                    reader.Skip();
                    break;
            }
        }

        return dtype is { } known && shape is not null && offsets is not null
            ? Check(name, known, shape, offsets)
            : throw new InvalidDataException(Errors.BadEntry(_file, name));
    }

    // The reference library's deserializer takes a struct as an array of its fields too.
    private static string? ArrayField(int position) => position switch { 0 => "dtype", 1 => "shape", 2 => "data_offsets", _ => null };

    private SafetensorsDType ReadDType(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw new InvalidDataException(Errors.BadField(_file, name, "dtype", "a string"));
        }

        string text = Text(ref reader);
        return SafetensorsDTypes.TryParse(text, out SafetensorsDType dtype)
            ? dtype
            : throw new InvalidDataException(Errors.UnknownDType(_file, name, text));
    }

    private List<ulong> ReadNumbers(ref Utf8JsonReader reader, string name, string field, int longest)
    {
        string expected = longest == 2 ? "two whole numbers" : "a list of whole numbers";
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new InvalidDataException(Errors.BadField(_file, name, field, expected));
        }

        var numbers = new List<ulong>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            // Digits alone: a sign, a fraction or an exponent is refused even where the value is whole.
            if (reader.TokenType != JsonTokenType.Number || numbers.Count == longest
                || reader.ValueSpan.ContainsAnyExceptInRange((byte)'0', (byte)'9') || !reader.TryGetUInt64(out ulong number))
            {
                throw new InvalidDataException(Errors.BadField(_file, name, field, expected));
            }

            numbers.Add(number);
        }

        return longest == 2 && numbers.Count != 2
            ? throw new InvalidDataException(Errors.BadField(_file, name, field, expected))
            : numbers;
    }

    private SafetensorsEntry Check(string name, SafetensorsDType dtype, List<ulong> shape, List<ulong> offsets)
    {
        ulong bits = 1;
        foreach (ulong dimension in shape.Append((ulong)dtype.BitsPerElement()))
        {
            // 128 bits hold the product of any two of 64.
            UInt128 product = (UInt128)bits * dimension;
            if (product > ulong.MaxValue || dimension > long.MaxValue)
            {
                throw new InvalidDataException(Errors.ShapeOverflows(_file, name));
            }

            bits = (ulong)product;
        }

        if (bits % 8 != 0)
        {
            throw new InvalidDataException(Errors.PartOfByte(_file, name));
        }

        (ulong begin, ulong end) = (offsets[0], offsets[1]);
        if (end > long.MaxValue || begin > end || end - begin != bits / 8)
        {
            throw new InvalidDataException(Errors.LengthMismatch(_file, name, begin, end, bits / 8));
        }

        long[] dimensions = [.. shape.Select(dimension => (long)dimension)];
        return new SafetensorsEntry(name, dtype, Array.AsReadOnly(dimensions), (long)begin, (long)end);
    }

    private void CheckCoverage(long dataLength)
    {
        // OrderBy is stable: empty tensors at one offset keep the header's order.
        Entries = [.. _entries.OrderBy(entry => entry.Begin).ThenBy(entry => entry.End)];
        long expected = 0;
        foreach (SafetensorsEntry entry in Entries)
        {
            if (entry.Begin != expected)
            {
                throw new InvalidDataException(Errors.BadOffset(_file, entry.Name, entry.Begin, expected));
            }

            expected = entry.End;
        }

        if (expected != dataLength)
        {
            throw new InvalidDataException(Errors.DataLength(_file, dataLength, expected));
        }
    }

    private string Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new InvalidDataException(Errors.BadString(_file));
        }
    }
}
