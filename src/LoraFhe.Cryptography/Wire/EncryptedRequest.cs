namespace LoraFhe.Cryptography;

/// <summary>A request read in place: every check of its form is done, its words lie in ±(q−1)/2.</summary>
internal readonly ref struct EncryptedRequest
{
    private EncryptedRequest(MessageHeader header, ReadOnlySpan<int> words)
    {
        Header = header;
        Words = words;
    }

    /// <summary>Sizes, id and binding.</summary>
    public MessageHeader Header { get; }

    /// <summary>The words, in the order of <see cref="FeatureBlocks"/>. They need not be aligned.</summary>
    public ReadOnlySpan<int> Words { get; }

    /// <summary>Reads a request for one product.</summary>
    /// <exception cref="InvalidDataException">The bytes are not such a request; the text says what was expected.</exception>
    public static EncryptedRequest Parse(ReadOnlySpan<byte> message, Binding binding, int features)
    {
        var header = MessageHeader.Parse(message, MessageKind.Request);
        header.Require(binding, features);
        return new EncryptedRequest(header, MessageHeader.Words(message, MessageKind.Request));
    }
}
