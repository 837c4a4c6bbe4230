namespace LoraFhe.Cryptography.Client.Tests.Protocol;

/// <summary>One root for every call, with or without a mask: the same (s, e) both ways, so that ciphertexts can be compared.</summary>
internal sealed class RepeatedRoot(ulong seed) : SecretSource
{
    private readonly InsecureTestRandomness _random = new(seed);

    public override void DrawTagKey(Span<byte> destination) => _random.DrawTagKey(destination);

    public override void DrawRoot(LayerId layer, ReadOnlySpan<byte> tags, Span<byte> root) => _random.DrawRoot(layer, [], root);

    public override void DrawRootAhead(LayerId layer, Span<byte> root) => _random.DrawRoot(layer, [], root);

    public override void DrawVerifierKey(LayerId layer, Span<byte> key) => _random.DrawVerifierKey(layer, key);
}
