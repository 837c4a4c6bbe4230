using System.Runtime.InteropServices;

namespace LoraFhe.Cryptography;

/// <summary>An encrypted request as it travels: B, one int32 word for each feature of each token, behind a 64-byte header.</summary>
/// <remarks>The client writes words straight into the message; nothing is copied to send it. Safe to read from several threads until
/// disposed;
/// spans taken from it end with it. Source: docs/scheme.md, Wire form.</remarks>
public sealed unsafe class Ciphertext : IDisposable
{
    private readonly NativeBuffer _message;

    private Ciphertext(MessageHeader header)
    {
        _message = NativeBuffer.Allocate(header.MessageLength);
        Binding = header.Binding;
        Id = header.Id;
        Features = header.Features;
        Tokens = header.Tokens;
        header.Write(new Span<byte>(_message.Pointer, MessageHeader.Size));
    }

    /// <summary>The product this is for.</summary>
    public Binding Binding { get; }

    /// <summary>The call's id; the response repeats it.</summary>
    public CallId Id { get; }

    /// <summary>Features of a token: the product's inputs.</summary>
    public int Features { get; }

    /// <summary>Tokens.</summary>
    public int Tokens { get; }

    /// <summary>The message's length in bytes: 64 + 4·features·tokens.</summary>
    public int Length => (int)_message.Length;

    /// <summary>The whole message, ready to send.</summary>
    /// <exception cref="ObjectDisposedException">The message was disposed.</exception>
    public ReadOnlySpan<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_message.IsClosed, this);
            return new ReadOnlySpan<byte>(_message.Pointer, Length);
        }
    }

    /// <summary>The words, in the order of <see cref="FeatureBlocks"/>, at first with whatever the memory held: the maker writes every
    /// one, within ±(q−1)/2.</summary>
    /// <exception cref="ObjectDisposedException">The message was disposed.</exception>
    internal Span<int> Words
    {
        get
        {
            ObjectDisposedException.ThrowIf(_message.IsClosed, this);
            return MemoryMarshal.Cast<byte, int>(new Span<byte>(_message.Pointer, Length)[MessageHeader.Size..]);
        }
    }

    /// <summary>Makes a message with its header written and its words still to be.</summary>
    /// <exception cref="ArgumentException">A size is below 1, or the message would not fit 2 GiB.</exception>
    internal static Ciphertext Create(Binding binding, CallId id, int features, int tokens)
    {
        LittleEndian.Require();
        MessageHeader.CheckSize(features, tokens, nameof(features), nameof(tokens));
        return new Ciphertext(new MessageHeader(MessageKind.Request, binding, id, features, tokens));
    }

    /// <summary>Frees the message. Spans taken before must no longer be read.</summary>
    public void Dispose() => _message.Dispose();
}
