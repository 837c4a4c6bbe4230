using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace LoraFhe.Cryptography;

/// <summary>A fingerprint of everything a product depends on: parameters, seed, model, layer, direction, shape, integers and scales.
/// Public.</summary>
/// <remarks>
/// SHA-256("LoraFhe/1/linear" ‖ parameters ‖ seed's hash ‖ model ‖ layer ‖ direction ‖ inputs ‖ outputs ‖ bits ‖ hash of the codes ‖ hash
/// of the scales ‖ max‖w‖²).
/// Names are UTF-8 behind their 32-bit length; the direction and the bits are a byte; sizes are 32, the squared norm 64 bits; all
/// little-endian. It is in every hint,
/// request and response; a mismatch is refused, never computed. The row-norm multiplier κ of hints made by a server has no place here:
/// such hints do not exist yet.
/// Source: docs/scheme.md, Binding.
/// </remarks>
public readonly struct Binding : IEquatable<Binding>
{
    /// <summary>Bytes of a binding.</summary>
    public const int Size = 32;

    private readonly UInt128 _high;
    private readonly UInt128 _low;

    private Binding(ReadOnlySpan<byte> bytes)
    {
        _high = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        _low = BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]);
    }

    /// <summary>The first six hexadecimal digits, for messages to people.</summary>
    public string Prefix => ToString()[..6];

    private static ReadOnlySpan<byte> Label => "LoraFhe/1/linear"u8;

    /// <summary>Computes the binding of one layer's product under one seed.</summary>
    public static Binding Compute(QuantizedLayer layer, LayerDirection direction, PublicMatrixSeed seed)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(seed);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Label);
        hash.AppendData(EncryptedLinearParameters.Id);
        hash.AppendData(seed.Hash);
        AppendText(hash, layer.ModelId);
        AppendText(hash, layer.Name);
        hash.AppendData([(byte)direction]);
        AppendInt32(hash, layer.Inputs(direction));
        AppendInt32(hash, layer.Outputs(direction));
        hash.AppendData([(byte)layer.Bits]);
        hash.AppendData(layer.CodesHash);
        hash.AppendData(layer.ScalesHash);
        Span<byte> norm = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(norm, layer.MaxSquaredNorm(direction));
        hash.AppendData(norm);
        Span<byte> digest = stackalloc byte[Size];
        hash.GetHashAndReset(digest);
        return new Binding(digest);
    }

    /// <summary>Reads a binding.</summary>
    /// <param name="bytes">Exactly <see cref="Size"/> bytes.</param>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> has another length.</exception>
    public static Binding FromBytes(ReadOnlySpan<byte> bytes) =>
        bytes.Length == Size ? new(bytes) : throw Errors.BindingSize(bytes.Length, nameof(bytes));

    /// <summary>Whether two bindings are of the same product.</summary>
    public static bool operator ==(Binding left, Binding right) => left.Equals(right);

    /// <summary>Whether two bindings are of different products.</summary>
    public static bool operator !=(Binding left, Binding right) => !left.Equals(right);

    /// <summary>Writes the binding's 32 bytes.</summary>
    /// <param name="destination">At least <see cref="Size"/> bytes.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter.</exception>
    public void CopyTo(Span<byte> destination)
    {
        if (destination.Length < Size)
        {
            throw Errors.DestinationSize(destination.Length, Size, nameof(destination));
        }

        BinaryPrimitives.WriteUInt128BigEndian(destination, _high);
        BinaryPrimitives.WriteUInt128BigEndian(destination[16..], _low);
    }

    /// <inheritdoc/>
    public bool Equals(Binding other) => _high == other._high && _low == other._low;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Binding other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_high, _low);

    /// <summary>All 64 hexadecimal digits.</summary>
    public override string ToString() => _high.ToString("x32", null) + _low.ToString("x32", null);

    private static void AppendText(IncrementalHash hash, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        AppendInt32(hash, bytes.Length);
        hash.AppendData(bytes);
    }

    private static void AppendInt32(IncrementalHash hash, int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        hash.AppendData(bytes);
    }
}
