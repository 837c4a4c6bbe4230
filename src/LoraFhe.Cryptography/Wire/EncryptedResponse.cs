namespace LoraFhe.Cryptography;

/// <summary>A response read in place: C = W·B, one int32 word for each output of each token, behind a 64-byte header.</summary>
internal readonly ref struct EncryptedResponse
{
    private EncryptedResponse(MessageHeader header, ReadOnlySpan<int> words)
    {
        Header = header;
        Words = words;
    }

    /// <summary>Sizes, id and binding.</summary>
    public MessageHeader Header { get; }

    /// <summary>The words, in the order of <see cref="FeatureBlocks"/>. They need not be aligned.</summary>
    public ReadOnlySpan<int> Words { get; }

    /// <summary>Reads the response to one pending call.</summary>
    /// <param name="message">The whole message.</param>
    /// <param name="binding">The product that was asked for.</param>
    /// <param name="id">The call's id.</param>
    /// <param name="features">The product's outputs.</param>
    /// <param name="tokens">Tokens that were sent.</param>
    /// <exception cref="InvalidDataException">The bytes are not that response; the text says what was expected.</exception>
    public static EncryptedResponse Parse(ReadOnlySpan<byte> message, Binding binding, CallId id, int features, int tokens)
    {
        var header = MessageHeader.Parse(message, MessageKind.Response);
        header.Require(binding, features);
        if (header.Id != id)
        {
            throw Errors.MessageId(MessageHeader.NameOf(MessageKind.Response));
        }

        if (header.Tokens != tokens)
        {
            throw Errors.MessageTokens(MessageHeader.NameOf(MessageKind.Response), header.Tokens, tokens);
        }

        return new EncryptedResponse(header, MessageHeader.Words(message, MessageKind.Response));
    }
}
