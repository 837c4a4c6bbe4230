namespace LoraFhe.Cryptography.Client;

/// <summary>Where a call's root and the verifier's vectors come from. Production has one source, the kernel's; tests name theirs insecure.</summary>
internal abstract class SecretSource
{
    /// <summary>Bytes of the key and nonce under which a call's rows are tagged.</summary>
    public const int TagKeySize = KeyDerivation.KeySize + RowTags.NonceSize;

    /// <summary>Draws the key and nonce of the rows' tags.</summary>
    public abstract void DrawTagKey(Span<byte> destination);

    /// <summary>Draws the root of one call's keys.</summary>
    /// <param name="layer">The product; a source that draws fresh entropy need not look.</param>
    /// <param name="tags">The tags of the call's rows.</param>
    /// <param name="root">32 bytes.</param>
    public abstract void DrawRoot(LayerId layer, ReadOnlySpan<byte> tags, Span<byte> root);

    /// <summary>Draws the root of one call's keys before its rows are known: fresh entropy alone makes it differ from every other.</summary>
    /// <param name="layer">The product.</param>
    /// <param name="root">32 bytes.</param>
    public abstract void DrawRootAhead(LayerId layer, Span<byte> root);

    /// <summary>Draws the key of the verifier's secret vectors.</summary>
    public abstract void DrawVerifierKey(LayerId layer, Span<byte> key);
}
