using System.Text;

namespace LoraFhe.Models;

/// <summary>
/// The one-to-one map between the 256 bytes and printable characters by which byte-level vocabularies are spelt: a byte that is a printable
/// Latin-1 character stands for itself, the others take U+0100 and up in order. So the space is 'Ġ'.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] CharOfByte = MakeChars();
    private static readonly Dictionary<char, byte> ByteOfChar =
        CharOfByte.Select((c, value) => (c, value)).ToDictionary(pair => pair.c, pair => (byte)pair.value);

    /// <summary>Spells a text's UTF-8 bytes; half a surrogate pair counts as U+FFFD.</summary>
    /// <param name="text">The text.</param>
    public static string Spell(ReadOnlySpan<char> text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(bytes.Length, bytes, (chars, source) =>
        {
            for (int i = 0; i < source.Length; i++)
            {
                chars[i] = CharOfByte[source[i]];
            }
        });
    }

    /// <summary>Appends the bytes a token stands for; a token with a character outside the alphabet stands for its own UTF-8.</summary>
    /// <param name="token">The token as the vocabulary spells it.</param>
    /// <param name="bytes">Where the bytes go.</param>
    public static void AppendBytes(string token, List<byte> bytes)
    {
        if (token.All(ByteOfChar.ContainsKey))
        {
            bytes.AddRange(token.Select(c => ByteOfChar[c]));
        }
        else
        {
            bytes.AddRange(Encoding.UTF8.GetBytes(token));
        }
    }

    // Latin-1's printable characters without the spaces and the soft hyphen.
    private static bool IsPrintable(int value) => value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);

    private static char[] MakeChars()
    {
        int next = 0x100;
        return [.. Enumerable.Range(0, 256).Select(value => IsPrintable(value) ? (char)value : (char)next++)];
    }
}
