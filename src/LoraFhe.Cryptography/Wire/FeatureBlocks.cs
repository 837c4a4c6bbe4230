namespace LoraFhe.Cryptography;

/// <summary>How matrices of features × tokens lie in memory: blocks of 16 features, in a block token after token, in a token feature after
/// feature.</summary>
/// <remarks>
/// In memory [⌈d/16⌉][n][16], the last block padded with zeros. On the wire the last block is [n][d mod 16], so that a message is 4·d·n
/// bytes after its header;
/// the two are the same where 16 divides d. A block's start is the same in both. Source: docs/scheme.md, Wire form.
/// </remarks>
internal static class FeatureBlocks
{
    /// <summary>Features of a full block: one cache line of words.</summary>
    public const int Width = 16;

    /// <summary>⌈d/16⌉.</summary>
    public static int Count(int features) => (int)(((long)features + Width - 1) / Width);

    /// <summary>Features of one block on the wire: 16, or what is left in the last.</summary>
    public static int BlockWidth(int block, int features) => Math.Min(Width, features - (block * Width));

    /// <summary>Features of the last block on the wire: 1 to 16.</summary>
    public static int LastWidth(int features) => BlockWidth(Count(features) - 1, features);

    /// <summary>The index of a block's first word.</summary>
    public static long BlockStart(int block, int tokens) => (long)block * tokens * Width;

    /// <summary>The index of a word on the wire.</summary>
    public static long WireIndex(int feature, int token, int features, int tokens)
    {
        var block = feature / Width;
        return BlockStart(block, tokens) + ((long)token * BlockWidth(block, features)) + (feature % Width);
    }

    /// <summary>The index of a word in the padded form.</summary>
    public static long PaddedIndex(int feature, int token, int tokens) =>
        BlockStart(feature / Width, tokens) + ((long)token * Width) + (feature % Width);

    /// <summary>Words on the wire: d·n.</summary>
    public static long WireWords(int features, int tokens) => (long)features * tokens;

    /// <summary>Words of the padded form: 16·⌈d/16⌉·n.</summary>
    public static long PaddedWords(int features, int tokens) => (long)Count(features) * Width * tokens;
}
