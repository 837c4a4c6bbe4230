using System.Buffers.Binary;
using System.Security.Cryptography;

namespace LoraFhe.Tools.Replay;

/// <summary>The public matrix A, expanded from its seed; an AES-256 counter stream a row.</summary>
internal sealed class PublicRows(byte[] seed)
{
    public const int Dimension = 1536;
    private readonly byte[] _key = SHA256.HashData([.. "LoraFhe/1/public-matrix"u8, .. Parameters, .. seed]);

    /// <summary>q, N and the two binomial parameters, as 32-bit little-endian words.</summary>
    public static byte[] Parameters => [.. Word((uint)Field.Q), .. Word(Dimension), .. Word(2), .. Word(21)];

    public long[] Row(int index)
    {
        using var aes = Aes.Create();
        aes.Key = _key;
        var words = new List<long>(Dimension);
        Span<byte> counter = stackalloc byte[16];
        Span<byte> block = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(counter[8..], (ulong)index);
        for (ulong number = 0; words.Count < Dimension; number++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(counter, number);
            aes.EncryptEcb(counter, block, PaddingMode.None);
            for (var i = 0; i < 16 && words.Count < Dimension; i += 4)
            {
                var word = BinaryPrimitives.ReadUInt32LittleEndian(block[i..]) & 0x7fffffff;
                if (word < Field.Q)
                {
                    words.Add(word);
                }
            }
        }

        return [.. words];
    }

    private static byte[] Word(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }
}
