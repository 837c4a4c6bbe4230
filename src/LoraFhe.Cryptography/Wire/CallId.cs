using System.Buffers.Binary;
using System.Security.Cryptography;

namespace LoraFhe.Cryptography;

/// <summary>16 random bytes that name one call, so that an answer is matched to what it answers. Public.</summary>
public readonly record struct CallId
{
    /// <summary>Bytes of an id.</summary>
    public const int Size = 16;

    private readonly UInt128 _value;

    private CallId(UInt128 value) => _value = value;

    /// <summary>Draws an id from the system's generator.</summary>
    public static CallId Generate()
    {
        Span<byte> bytes = stackalloc byte[Size];
        RandomNumberGenerator.Fill(bytes);
        return FromBytes(bytes);
    }

    /// <summary>Reads an id.</summary>
    /// <param name="bytes">Exactly <see cref="Size"/> bytes.</param>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> has another length.</exception>
    public static CallId FromBytes(ReadOnlySpan<byte> bytes) =>
        bytes.Length == Size ? new(BinaryPrimitives.ReadUInt128BigEndian(bytes)) : throw Errors.CallIdSize(bytes.Length, nameof(bytes));

    /// <summary>Writes the id's 16 bytes.</summary>
    /// <param name="destination">At least <see cref="Size"/> bytes.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter.</exception>
    public void CopyTo(Span<byte> destination)
    {
        if (destination.Length < Size)
        {
            throw Errors.DestinationSize(destination.Length, Size, nameof(destination));
        }

        BinaryPrimitives.WriteUInt128BigEndian(destination, _value);
    }

    /// <summary>The id in hexadecimal digits.</summary>
    public override string ToString() => _value.ToString("x32", null);
}
