using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace LoraFhe.Cryptography.Client;

/// <summary>From entropy to the keys of one group: pure functions, frozen by test vectors.</summary>
/// <remarks>
/// root = HMAC-SHA-256(32 kernel bytes, "LoraFhe/1/root" ‖ 32 generator bytes ‖ process nonce ‖ counter ‖ ticks ‖ process id ‖ tags of the rows).
/// key = HMAC-SHA-256(root, "LoraFhe/1/group" ‖ purpose ‖ seed's hash ‖ layer ‖ direction ‖ group ‖ r). Numbers are little-endian, a name is UTF-8 behind its 32-bit length.
/// The rows' tags make two calls differ even if every random byte repeats (hedging: Ristenpart and Yilek, NDSS 2010). A mask made ahead has the label "LoraFhe/1/root-ahead" and no tags. Source: docs/scheme.md, What must never happen.
/// </remarks>
internal static class KeyDerivation
{
    /// <summary>Bytes of every key and of a root.</summary>
    public const int KeySize = 32;

    // A layer's name is seldom longer than a hundred bytes.
    private const int StackBytes = 512;

    private static ReadOnlySpan<byte> RootLabel => "LoraFhe/1/root"u8;

    private static ReadOnlySpan<byte> RootAheadLabel => "LoraFhe/1/root-ahead"u8;

    private static ReadOnlySpan<byte> GroupLabel => "LoraFhe/1/group"u8;

    /// <summary>The root of one call's keys.</summary>
    public static void Root(ReadOnlySpan<byte> kernelKey, ReadOnlySpan<byte> generatorBytes, in ProcessMoment moment, ReadOnlySpan<byte> tags, Span<byte> root) =>
        Root(RootLabel, kernelKey, generatorBytes, moment, tags, root);

    /// <summary>The root of a mask made ahead of its rows. They have no tags yet: nothing but the entropy and the moment makes it differ.</summary>
    public static void RootAhead(ReadOnlySpan<byte> kernelKey, ReadOnlySpan<byte> generatorBytes, in ProcessMoment moment, Span<byte> root) =>
        Root(RootAheadLabel, kernelKey, generatorBytes, moment, [], root);

    /// <summary>What binds a key to its product: seed's hash, layer, direction. Public.</summary>
    public static byte[] Context(PublicMatrixSeed seed, LayerId layer)
    {
        var name = Encoding.UTF8.GetBytes(layer.Name);
        var context = new byte[seed.Hash.Length + sizeof(int) + name.Length + 1];
        seed.Hash.CopyTo(context);
        BinaryPrimitives.WriteInt32LittleEndian(context.AsSpan(seed.Hash.Length), name.Length);
        name.CopyTo(context, seed.Hash.Length + sizeof(int));
        context[^1] = (byte)layer.Direction;
        return context;
    }

    /// <summary>The key of one group for one purpose.</summary>
    public static void Group(ReadOnlySpan<byte> root, KeyPurpose purpose, ReadOnlySpan<byte> context, int group, int degree, Span<byte> key)
    {
        // All of it public and put together here: the system's one-shot form makes no objects.
        var length = GroupLabel.Length + 1 + context.Length + (2 * sizeof(int));
        var data = length <= StackBytes ? stackalloc byte[length] : new byte[length];
        GroupLabel.CopyTo(data);
        data[GroupLabel.Length] = (byte)purpose;
        context.CopyTo(data[(GroupLabel.Length + 1)..]);
        BinaryPrimitives.WriteInt32LittleEndian(data[^(2 * sizeof(int))..], group);
        BinaryPrimitives.WriteInt32LittleEndian(data[^sizeof(int)..], degree);
        HMACSHA256.HashData(root, data, key);
    }

    private static void Root(
        ReadOnlySpan<byte> label, ReadOnlySpan<byte> kernelKey, ReadOnlySpan<byte> generatorBytes, in ProcessMoment moment, ReadOnlySpan<byte> tags, Span<byte> root)
    {
        // The system's one-shot form makes no objects; the generator's bytes are secret, so what is put together is too.
        var length = label.Length + generatorBytes.Length + moment.ProcessNonce.Length + (2 * sizeof(long)) + sizeof(int) + tags.Length;
        using var memory = new SecretMemory(length);
        var rest = memory.Bytes[..length];
        label.CopyTo(rest);
        rest = rest[label.Length..];
        generatorBytes.CopyTo(rest);
        rest = rest[generatorBytes.Length..];
        moment.ProcessNonce.CopyTo(rest);
        rest = rest[moment.ProcessNonce.Length..];
        BinaryPrimitives.WriteInt64LittleEndian(rest, moment.Counter);
        BinaryPrimitives.WriteInt64LittleEndian(rest[sizeof(long)..], moment.Ticks);
        BinaryPrimitives.WriteInt32LittleEndian(rest[(2 * sizeof(long))..], moment.ProcessId);
        tags.CopyTo(rest[((2 * sizeof(long)) + sizeof(int))..]);
        HMACSHA256.HashData(kernelKey, memory.Bytes[..length], root);
    }
}
