using System.Globalization;
using System.Text;

namespace LoraFhe.Models;

/// <summary>A byte pair encoding: a vocabulary, the merges, and what becomes of a character that is no token.</summary>
/// <remarks>Such a character becomes its UTF-8 bytes' tokens, if <c>byte_fallback</c> is set and all are there, else <c>unk_token</c>; it is left out where there is none, as Hugging
/// Face does.</remarks>
internal sealed class BytePairModel
{
    private readonly Dictionary<string, int> _vocabulary = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly BytePairMerges _merges = new();
    private int?[]? _byteIds;
    private int? _unknownId;
    private bool _fuseUnknown;
    private bool _ignoreMerges;

    private BytePairModel(NamedJson vocabulary)
    {
        _lookup = _vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
        var ids = new HashSet<int>();
        foreach ((string token, NamedJson value) in vocabulary.Members)
        {
            int id = value.TokenId();
            if (!_vocabulary.TryAdd(token, id))
            {
                throw new InvalidDataException(Errors.DuplicateToken(value.File, token));
            }

            if (!ids.Add(id))
            {
                throw new InvalidDataException(Errors.DuplicateTokenId(value.File, id));
            }
        }
    }

    /// <summary>Ids by token; a byte-level vocabulary is spelt in the byte alphabet.</summary>
    public IReadOnlyDictionary<string, int> Vocabulary => _vocabulary;

    /// <summary>Reads the <c>model</c> of a <c>tokenizer.json</c>.</summary>
    /// <exception cref="InvalidDataException">It is faulty, or needs what is not supported; the text names the key.</exception>
    public static BytePairModel Read(NamedJson model)
    {
        model.RequireKnown(
            "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges");
        if (model.TryGet("type", out _))
        {
            model.Require("type", "BPE");
        }

        RefuseOtherModels(model);
        var read = new BytePairModel(model["vocab"]);
        foreach (NamedJson merge in model["merges"].Items)
        {
            string[] pair = merge.IsText ? merge.Text.Split(' ') : [.. merge.Items.Select(item => item.Text)];
            if (!read.TryAddMerge(pair))
            {
                throw new InvalidDataException(Errors.BadMerge(merge.File, merge.Path));
            }
        }

        read.ReadOptions(model);
        return read;
    }

    /// <summary>Reads the older pair of files.</summary>
    /// <param name="vocabulary">The content of <c>vocab.json</c>.</param>
    /// <param name="mergesPath">The path of <c>merges.txt</c>: a pair a line, after a line that begins <c>#version</c>.</param>
    /// <exception cref="InvalidDataException">A file is faulty; the text names the key or the line.</exception>
    public static BytePairModel Read(NamedJson vocabulary, string mergesPath)
    {
        var read = new BytePairModel(vocabulary);
        int number = 0;
        foreach (string line in File.ReadLines(mergesPath))
        {
            number++;
            if (line.Length > 0 && !line.StartsWith("#version", StringComparison.Ordinal) && !read.TryAddMerge(line.Split(' ')))
            {
                throw new InvalidDataException(Errors.BadMergeLine(Path.GetFileName(mergesPath), number));
            }
        }

        return read;
    }

    /// <summary>Encodes a piece.</summary>
    /// <param name="piece">The piece, in the vocabulary's spelling.</param>
    /// <param name="ids">Where its ids go.</param>
    public void Encode(string piece, List<int> ids)
    {
        if (_ignoreMerges && _vocabulary.TryGetValue(piece, out int whole))
        {
            ids.Add(whole);
            return;
        }

        List<int> symbols = Symbols(piece);
        _merges.Apply(symbols);
        ids.AddRange(symbols);
    }

    private List<int> Symbols(string piece)
    {
        var symbols = new List<int>(piece.Length);
        bool unknownIsPending = false;
        Span<char> character = stackalloc char[2];
        foreach (Rune rune in piece.EnumerateRunes())
        {
            if (_lookup.TryGetValue(character[..rune.EncodeToUtf16(character)], out int id))
            {
                if (unknownIsPending)
                {
                    symbols.Add(_unknownId!.Value);
                    unknownIsPending = false;
                }

                symbols.Add(id);
            }
            else if (!TryAddBytes(rune, symbols) && _unknownId is { } unknown)
            {
                if (unknownIsPending && !_fuseUnknown)
                {
                    symbols.Add(unknown);
                }

                // The reference adds an unknown only when the next known character comes, or the end: bytes go before it.
                unknownIsPending = true;
            }
        }

        if (unknownIsPending)
        {
            symbols.Add(_unknownId!.Value);
        }

        return symbols;
    }

    private bool TryAddBytes(Rune rune, List<int> symbols)
    {
        if (_byteIds is null)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[4];
        bytes = bytes[..rune.EncodeToUtf8(bytes)];
        foreach (byte value in bytes)
        {
            if (_byteIds[value] is null)
            {
                return false;
            }
        }

        foreach (byte value in bytes)
        {
            symbols.Add(_byteIds[value]!.Value);
        }

        return true;
    }

    private bool TryAddMerge(string[] pair)
    {
        if (pair is not [var left, var right]
            || !_vocabulary.TryGetValue(left, out int leftId) || !_vocabulary.TryGetValue(right, out int rightId) || !_vocabulary.TryGetValue(left + right, out int merged))
        {
            return false;
        }

        _merges.Add(leftId, rightId, merged);
        return true;
    }

    private static void RefuseOtherModels(NamedJson model)
    {
        if (model.TryGetValue("dropout", out NamedJson dropout))
        {
            throw dropout.Unsupported("only null is");
        }

        foreach (string key in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (model.TryGetValue(key, out NamedJson value) && value.Text.Length > 0)
            {
                throw value.Unsupported("only null is");
            }
        }
    }

    private void ReadOptions(NamedJson model)
    {
        if (model.TryGetValue("unk_token", out NamedJson unknown))
        {
            _unknownId = _vocabulary.TryGetValue(unknown.Text, out int id) ? id : throw unknown.Unsupported("only a token of the vocabulary is, or null");
        }

        if (model.FlagOr("byte_fallback", otherwise: false))
        {
            _byteIds = [.. Enumerable.Range(0, 256).Select(ByteId)];
        }

        _fuseUnknown = model.FlagOr("fuse_unk", otherwise: false);
        _ignoreMerges = model.FlagOr("ignore_merges", otherwise: false);
    }

    private int? ByteId(int value) =>
        _vocabulary.TryGetValue(string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>"), out int id) ? id : null;
}
