using System.Security.Cryptography;

namespace LoraFhe.Cryptography.Client;

/// <summary>The source of production: kernel entropy at every call, the library's generator beside it, and what tells this call from every other.</summary>
/// <remarks>Safe for use by several threads: calls share nothing but an interlocked counter, so neither restart nor checkpoint matters.</remarks>
internal sealed class KernelSecretSource : SecretSource
{
    private static readonly byte[] ProcessNonce = DrawProcessNonce();

    private static long _counter;

    private KernelSecretSource()
    {
    }

    /// <summary>The source.</summary>
    public static KernelSecretSource Instance { get; } = new();

    /// <inheritdoc/>
    public override void DrawTagKey(Span<byte> destination) => KernelBytes.Fill(destination);

    /// <inheritdoc/>
    public override void DrawRoot(LayerId layer, ReadOnlySpan<byte> tags, Span<byte> root) => DrawRoot(isAhead: false, tags, root);

    /// <inheritdoc/>
    public override void DrawRootAhead(LayerId layer, Span<byte> root) => DrawRoot(isAhead: true, [], root);

    /// <inheritdoc/>
    public override void DrawVerifierKey(LayerId layer, Span<byte> key) => DrawRoot(layer, [], key);

    private static void DrawRoot(bool isAhead, ReadOnlySpan<byte> tags, Span<byte> root)
    {
        Span<byte> entropy = stackalloc byte[2 * KeyDerivation.KeySize];
        try
        {
            KernelBytes.Fill(entropy[..KeyDerivation.KeySize]);
            RandomNumberGenerator.Fill(entropy[KeyDerivation.KeySize..]);
            var moment = new ProcessMoment
            {
                ProcessNonce = ProcessNonce,
                Counter = Interlocked.Increment(ref _counter),
                Ticks = TimeProvider.System.GetTimestamp(),
                ProcessId = NativeMethods.ProcessId,
            };
            if (isAhead)
            {
                KeyDerivation.RootAhead(entropy[..KeyDerivation.KeySize], entropy[KeyDerivation.KeySize..], moment, root);
            }
            else
            {
                KeyDerivation.Root(entropy[..KeyDerivation.KeySize], entropy[KeyDerivation.KeySize..], moment, tags, root);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(entropy);
        }
    }

    private static byte[] DrawProcessNonce()
    {
        var nonce = new byte[KeyDerivation.KeySize];
        KernelBytes.Fill(nonce);
        return nonce;
    }
}
