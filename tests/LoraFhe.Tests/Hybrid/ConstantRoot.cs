using LoraFhe.Cryptography;
using LoraFhe.Cryptography.Client;

namespace LoraFhe.Tests.Hybrid;

/// <summary>One root for all calls of a layer, with or without a mask made ahead: both ways give the same bits. Counts how many were drawn ahead.</summary>
internal sealed class ConstantRoot : SecretSource
{
    private readonly InsecureTestRandomness _random = new(11);
    private int _ahead;

    public int Ahead => Volatile.Read(ref _ahead);

    public int FailsAfter { get; init; } = int.MaxValue;

    public override void DrawTagKey(Span<byte> destination) => _random.DrawTagKey(destination);

    public override void DrawRoot(LayerId layer, ReadOnlySpan<byte> tags, Span<byte> root) => _random.DrawRoot(layer, [], root);

    public override void DrawRootAhead(LayerId layer, Span<byte> root)
    {
        if (Interlocked.Increment(ref _ahead) > FailsAfter)
        {
            throw new IOException("the random device was taken away");
        }

        _random.DrawRoot(layer, [], root);
    }

    public override void DrawVerifierKey(LayerId layer, Span<byte> key) => _random.DrawVerifierKey(layer, key);
}
