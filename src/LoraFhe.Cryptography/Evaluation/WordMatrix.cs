using System.Diagnostics;

namespace LoraFhe.Cryptography;

/// <summary>Words of features × tokens in memory, in the order of <see cref="FeatureBlocks"/>, as a product reads or writes them.</summary>
internal readonly unsafe struct WordMatrix
{
    private readonly int* _words;
    private readonly int _lastBlock;
    private readonly int _lastWidth;
    private readonly int _rowTokens;

    private WordMatrix(int* words, int features, int tokens, int rowTokens, int lastWidth, bool centered)
    {
        _words = words;
        _rowTokens = rowTokens;
        _lastBlock = FeatureBlocks.Count(features) - 1;
        _lastWidth = lastWidth;
        Features = features;
        Tokens = tokens;
        Centered = centered;
    }

    /// <summary>Features that count; a padded form has zeros (or, in a source, rows of no weight) after them.</summary>
    public int Features { get; }

    /// <summary>Tokens: columns.</summary>
    public int Tokens { get; }

    /// <summary>Whether words lie in ±(q−1)/2; else in [0, q).</summary>
    public bool Centered { get; }

    /// <summary>A message's words: the last block narrow, words in ±(q−1)/2.</summary>
    public static WordMatrix OnTheWire(int* words, int features, int tokens) =>
        new(words, features, tokens, tokens, FeatureBlocks.LastWidth(features), centered: true);

    /// <summary>The public matrix or a hint: the last block padded, words in [0, q).</summary>
    public static WordMatrix Padded(uint* words, int features, int tokens) =>
        new((int*)words, features, tokens, tokens, FeatureBlocks.Width, centered: false);

    /// <summary>A part of whole blocks, in place.</summary>
    /// <param name="firstBlock">Its first block of features.</param>
    /// <param name="features">A multiple of 16.</param>
    /// <param name="firstToken">Its first token.</param>
    /// <param name="tokens">Tokens.</param>
    public WordMatrix Part(int firstBlock, int features, int firstToken, int tokens) =>
        new(At(firstBlock, firstToken), features, tokens, _rowTokens, FeatureBlocks.Width, Centered);

    /// <summary>Features of one block: 16, fewer in the last on the wire, 0 past the last.</summary>
    public int Width(int block) => block < _lastBlock ? FeatureBlocks.Width : block == _lastBlock ? _lastWidth : 0;

    /// <summary>A block's words of one token: <see cref="Width"/> of them, then the next token's.</summary>
    public int* At(int block, int token)
    {
        Debug.Assert(block >= 0 && block <= _lastBlock && token >= 0 && token < Tokens);
        return _words + FeatureBlocks.BlockStart(block, _rowTokens) + ((long)token * Width(block));
    }
}
