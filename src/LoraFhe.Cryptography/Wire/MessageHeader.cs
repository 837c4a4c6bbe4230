using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace LoraFhe.Cryptography;

/// <summary>The 64 bytes before a message's words.</summary>
/// <remarks>
/// All little-endian: magic (4 bytes, "LFQ1" or "LFR1" read as text), version (u16), dropped response bits (u8), zero (u8), tokens (i32),
/// features (i32), id (16),
/// binding (32). Then features · tokens words, int32 in ±(q−1)/2, in the order of <see cref="FeatureBlocks"/>; nothing after them. Source:
/// docs/scheme.md, Wire form.
/// </remarks>
/// <param name="Kind">Request or response.</param>
/// <param name="Binding">What the words belong to.</param>
/// <param name="Id">Which call.</param>
/// <param name="Features">Features of a token: the product's inputs in a request, its outputs in a response.</param>
/// <param name="Tokens">Tokens.</param>
internal readonly record struct MessageHeader(MessageKind Kind, Binding Binding, CallId Id, int Features, int Tokens)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 64;

    /// <summary>The version this program writes and reads.</summary>
    public const ushort Version = 1;

    private const int VersionOffset = 4;
    private const int DroppedBitsOffset = 6;
    private const int ReservedOffset = 7;
    private const int TokensOffset = 8;
    private const int FeaturesOffset = 12;
    private const int IdOffset = 16;
    private const int BindingOffset = 32;

    /// <summary>Bytes of the whole message.</summary>
    public long MessageLength => LengthOf(Features, Tokens);

    /// <summary>Bytes of a message: 64 + 4·d·n, or the largest 64-bit number where that would be exceeded.</summary>
    public static long LengthOf(int features, int tokens)
    {
        // (2³¹ − 1)² words of four bytes pass 2⁶³.
        var words = FeatureBlocks.WireWords(features, tokens);
        return words > (long.MaxValue - Size) / sizeof(int) ? long.MaxValue : Size + (words * sizeof(int));
    }

    /// <summary>Checks that a message of this size can exist.</summary>
    /// <exception cref="ArgumentException">A size is below 1 or the message would not fit one span.</exception>
    public static void CheckSize(int features, int tokens, string featuresParameter, string tokensParameter)
    {
        if (features < 1)
        {
            throw Errors.Features(features, featuresParameter);
        }

        if (tokens < 1)
        {
            throw Errors.Tokens(tokens, tokensParameter);
        }

        if (LengthOf(features, tokens) > Array.MaxLength)
        {
            throw Errors.MessageTooLong(features, tokens, tokensParameter);
        }
    }

    /// <summary>Reads a message's header and checks all that can be checked without knowing what was expected: magic, version, sizes
    /// against the length.</summary>
    /// <exception cref="InvalidDataException">The bytes are not such a message; the text says what was expected.</exception>
    public static MessageHeader Parse(ReadOnlySpan<byte> message, MessageKind kind)
    {
        LittleEndian.Require();
        var name = NameOf(kind);
        if (message.Length < Size)
        {
            throw Errors.MessageTruncated(name, message.Length);
        }

        if (!message[..VersionOffset].SequenceEqual(MagicOf(kind)))
        {
            throw Errors.MessageMagic(name, kind == MessageKind.Request ? "LFQ1" : "LFR1");
        }

        var version = BinaryPrimitives.ReadUInt16LittleEndian(message[VersionOffset..]);
        if (version != Version)
        {
            throw Errors.MessageVersion(name, version, Version);
        }

        if (message[DroppedBitsOffset] != 0)
        {
            throw Errors.MessageDroppedBits(name, message[DroppedBitsOffset]);
        }

        if (message[ReservedOffset] != 0)
        {
            throw Errors.MessageReserved(name);
        }

        var tokens = BinaryPrimitives.ReadInt32LittleEndian(message[TokensOffset..]);
        var features = BinaryPrimitives.ReadInt32LittleEndian(message[FeaturesOffset..]);
        if (features < 1 || tokens < 1 || LengthOf(features, tokens) > Array.MaxLength)
        {
            throw Errors.MessageSize(name, features, tokens);
        }

        if (LengthOf(features, tokens) != message.Length)
        {
            throw Errors.MessageLength(name, features, tokens, LengthOf(features, tokens), message.Length);
        }

        return new MessageHeader(
            kind,
            Binding.FromBytes(message.Slice(BindingOffset, Binding.Size)),
            CallId.FromBytes(message.Slice(IdOffset, CallId.Size)),
            features,
            tokens);
    }

    /// <summary>The words behind a header, in place.</summary>
    /// <exception cref="InvalidDataException">A word lies outside ±(q−1)/2.</exception>
    public static ReadOnlySpan<int> Words(ReadOnlySpan<byte> message, MessageKind kind)
    {
        var words = MemoryMarshal.Cast<byte, int>(message[Size..]);
        return words.ContainsAnyExceptInRange(-EncryptedLinearParameters.HalfModulus, EncryptedLinearParameters.HalfModulus)
            ? throw Errors.MessageWordRange(NameOf(kind))
            : words;
    }

    /// <summary>What a message is called in errors.</summary>
    public static string NameOf(MessageKind kind) => kind == MessageKind.Request ? "encrypted request" : "encrypted response";

    /// <summary>Writes the header's 64 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        MagicOf(Kind).CopyTo(destination);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[VersionOffset..], Version);
        destination[DroppedBitsOffset] = 0;
        destination[ReservedOffset] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(destination[TokensOffset..], Tokens);
        BinaryPrimitives.WriteInt32LittleEndian(destination[FeaturesOffset..], Features);
        Id.CopyTo(destination[IdOffset..]);
        Binding.CopyTo(destination[BindingOffset..]);
    }

    /// <summary>Refuses a message that belongs to another product or has another width.</summary>
    /// <exception cref="InvalidDataException">The binding or the features differ.</exception>
    public void Require(Binding binding, int features)
    {
        if (Binding != binding)
        {
            throw Errors.MessageBinding(NameOf(Kind), Binding, binding);
        }

        if (Features != features)
        {
            throw Errors.MessageFeatures(NameOf(Kind), Features, features);
        }
    }

    private static ReadOnlySpan<byte> MagicOf(MessageKind kind) => kind == MessageKind.Request ? "LFQ1"u8 : "LFR1"u8;
}
