using System.Buffers.Binary;
using System.Text;

namespace LoraFhe.Tools.Replay;

/// <summary>One message that crossed: a header, then words, features in blocks of 16.</summary>
internal sealed class Message
{
    private const int HeaderBytes = 64;

    public Message(string file, string magic)
    {
        var bytes = File.ReadAllBytes(file);
        if (bytes.Length < HeaderBytes || !bytes.AsSpan().StartsWith(Encoding.ASCII.GetBytes(magic)))
        {
            throw new InvalidDataException($"{Path.GetFileName(file)} does not begin with a header {magic}");
        }

        Tokens = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8));
        Features = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12));
        Id = Convert.ToHexStringLower(bytes.AsSpan(16, 16));
        Binding = Convert.ToHexStringLower(bytes.AsSpan(32, 32));
        if (Tokens < 1 || Features < 1 || bytes.Length != HeaderBytes + (4L * Tokens * Features))
        {
            throw new InvalidDataException(
                $"{Path.GetFileName(file)} has {bytes.Length} bytes; {Features} features of {Tokens} tokens take {HeaderBytes + (4L * Tokens * Features)}");
        }

        Words = new long[Features, Tokens];
        var at = HeaderBytes;
        for (var block = 0; block < Features; block += 16)
        {
            var lanes = Math.Min(16, Features - block);
            for (var t = 0; t < Tokens; t++)
            {
                for (var lane = 0; lane < lanes; lane++, at += 4)
                {
                    Words[block + lane, t] = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
                }
            }
        }
    }

    public string Id { get; }

    public string Binding { get; }

    public int Tokens { get; }

    public int Features { get; }

    /// <summary>[feature, token], within ±(q−1)/2.</summary>
    public long[,] Words { get; }
}
