using System.Runtime.CompilerServices;
using System.Text;
using static TorchSharp.torch;

namespace LoraFhe.Models;

/// <summary>Token ids to train or to evaluate on, made from a text file.</summary>
/// <remarks>Immutable and thread-safe. Text is UTF-8.</remarks>
public sealed class TextDataset
{
    /// <summary>The label of a token that is not to be predicted.</summary>
    public const int IgnoreIndex = -100;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly int _paddingId;

    internal TextDataset(IReadOnlyList<TextExample> examples, int paddingId, int droppedRows = 0)
    {
        Examples = examples;
        DroppedRows = droppedRows;
        _paddingId = paddingId;
    }

    /// <summary>The rows, in file order.</summary>
    public IReadOnlyList<TextExample> Examples { get; }

    /// <summary>Rows in the dataset.</summary>
    public int Count => Examples.Count;

    /// <summary>Rows of the file that were left out because the length limit left them nothing to predict.</summary>
    public int DroppedRows { get; }

    /// <summary>Takes a text as one stream of tokens and cuts it into blocks; a remainder shorter than a block is left out.</summary>
    /// <param name="path">A text file.</param>
    /// <param name="tokenizer">The model's tokenizer; no special tokens are added.</param>
    /// <param name="blockLength">Tokens in a block, at least 2.</param>
    /// <exception cref="InvalidDataException">The file is not UTF-8 or shorter than a block.</exception>
    public static TextDataset FromTextLines(string path, PretrainedTokenizer tokenizer, int blockLength)
    {
        CheckArguments(path, tokenizer, blockLength);
        return Blocks(path, ReadText(path), tokenizer, blockLength, overlap: 0);
    }

    /// <summary>Splits a text by its lines, the first ones to train on, the last ones to evaluate on.</summary>
    /// <param name="path">A text file.</param>
    /// <param name="tokenizer">The model's tokenizer; no special tokens are added.</param>
    /// <param name="blockLength">Tokens in a block, at least 2.</param>
    /// <param name="heldOut">The share of lines to hold out, above 0 and below 1; the training lines are rounded down.</param>
    /// <returns>
    /// The training lines in blocks of <paramref name="blockLength"/> tokens; the held-out lines in rows of one token more, each beginning with
    /// the last token of the row before, so that every token but the first is predicted exactly once and every row predicts as many.
    /// </returns>
    /// <exception cref="InvalidDataException">The file is not UTF-8, or one part is shorter than a row.</exception>
    public static (TextDataset Training, TextDataset HeldOut) SplitTextLines(
        string path, PretrainedTokenizer tokenizer, int blockLength, double heldOut = 0.1)
    {
        CheckArguments(path, tokenizer, blockLength);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(heldOut);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(heldOut, 1);
        string text = ReadText(path);
        int[] lineEnds = [.. LineEnds(text)];
        int trainingLines = (int)(lineEnds.Length * (1 - heldOut));
        int boundary = trainingLines == 0 ? 0 : lineEnds[trainingLines - 1];
        return (
            Blocks(path, text[..boundary], tokenizer, blockLength, overlap: 0),
            Blocks(path, text[boundary..], tokenizer, blockLength, overlap: 1));
    }

    /// <summary>Reads a row a line: <c>text</c>, or <c>prompt</c> and <c>completion</c>, of which only the completion is predicted.</summary>
    /// <param name="path">A file of JSON objects, one a line; empty lines are passed over.</param>
    /// <param name="tokenizer">The model's tokenizer; its special tokens are added, and the text that ends a text unless it is there.</param>
    /// <param name="maxLength">Longer rows lose their end; at least 2.</param>
    /// <remarks>
    /// The rules are those of TRL's SFTTrainer. A prompt ends where the tokens of the prompt alone and those of prompt and completion part,
    /// which may be before its last character. Other fields are not looked at.
    /// </remarks>
    /// <exception cref="InvalidDataException">A line is not such an object (the text names it), or no row has anything to predict.</exception>
    public static TextDataset FromJsonLines(string path, PretrainedTokenizer tokenizer, int maxLength)
    {
        CheckArguments(path, tokenizer, maxLength);
        var rows = new JsonLineRows(Path.GetFileName(path), tokenizer, maxLength);
        foreach (string line in ReadText(path).Split('\n'))
        {
            rows.Add(line);
        }

        return rows.Examples.Count > 0
            ? new TextDataset(rows.Examples, PaddingId(tokenizer), rows.Dropped)
            : throw new InvalidDataException(Errors.NoRows(Path.GetFileName(path), maxLength));
    }

    /// <summary>The first rows, for example to evaluate on a part.</summary>
    /// <param name="count">How many, from 1 to <see cref="Count"/>.</param>
    /// <exception cref="ArgumentException">The dataset has fewer.</exception>
    public TextDataset Take(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        return count <= Count
            ? new TextDataset([.. Examples.Take(count)], _paddingId)
            : throw new ArgumentException(Errors.FewExamples(count, Count), nameof(count));
    }

    /// <summary>Splits rows that stand for themselves, such as those of <see cref="FromJsonLines"/>: the first to train on, the last to evaluate on.</summary>
    /// <param name="heldOut">The share of rows to hold out, above 0 and below 1; the training rows are rounded down.</param>
    /// <exception cref="ArgumentException">One part would have no row.</exception>
    public (TextDataset Training, TextDataset HeldOut) Split(double heldOut)
    {
        var training = heldOut is > 0 and < 1 ? (int)(Count * (1 - heldOut)) : 0;
        return training is 0 || training == Count
            ? throw new ArgumentException(Errors.EmptyPart(heldOut, Count), nameof(heldOut))
            : (Take(training), new TextDataset([.. Examples.Skip(training)], _paddingId));
    }

    /// <summary>Packs rows of differing length into blocks, so that little of a batch is padding. No row is cut, and none sees another.</summary>
    /// <param name="blockLength">The most tokens of a block; no row may be longer.</param>
    /// <returns>The blocks. Their batches have <c>position_ids</c>, which begin at 0 with each row, in place of an <c>attention_mask</c>: this
    /// library's models, as transformers', part rows by them. The label of each row's first token is -100, as nothing before it predicts it.</returns>
    /// <remarks>Best-fit decreasing, as TRL's <c>packing_strategy="bfd"</c>: the longest rows first, each into the block that it fills most. A
    /// block's rows, and the blocks by their first rows, are in file order. The same rows give the same blocks.</remarks>
    /// <exception cref="ArgumentException">A row is longer than a block.</exception>
    public TextDataset Pack(int blockLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(blockLength, 2);
        return new TextDataset(SequencePacker.Pack(Examples, blockLength), _paddingId, DroppedRows);
    }

    /// <summary>What share of the tokens of an epoch's batches, in file order, is padding: computed, and encrypted, for nothing.</summary>
    /// <param name="batchSize">Rows in a batch, at least 1.</param>
    /// <returns>0 to below 1.</returns>
    public double PaddingShare(int batchSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        var computed = Examples.Chunk(batchSize).Sum(rows => (long)rows.Length * rows.Max(row => row.InputIds.Length));
        return 1 - ((double)Examples.Sum(row => (long)row.InputIds.Length) / computed);
    }

    /// <summary>The first rows as one batch, for example what a trainer compiles with.</summary>
    /// <param name="batchSize">How many; fewer where the dataset has fewer.</param>
    /// <returns>A batch that the caller disposes.</returns>
    public Batch First(int batchSize = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        return Collate([.. Examples.Take(batchSize)]);
    }

    /// <summary>
    /// Batches in an order that is another each epoch, a function of the seed and the epoch alone. The last batch may be smaller.
    /// </summary>
    /// <param name="batchSize">Rows in a batch, at least 1.</param>
    /// <param name="seed">Any number.</param>
    public IEpochLoader Loader(int batchSize, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        return new TextLoader(this, batchSize, seed);
    }

    /// <summary>Batches in file order, to evaluate on. The last batch may be smaller.</summary>
    /// <param name="batchSize">Rows in a batch, at least 1.</param>
    public IEpochLoader Loader(int batchSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        return new TextLoader(this, batchSize, seed: null);
    }

    /// <summary>
    /// Makes int64 tensors [rows, longest]: <c>input_ids</c>, <c>attention_mask</c> or, for packed rows, <c>position_ids</c>, and
    /// <c>labels</c>; short rows are filled on the right.
    /// </summary>
    internal Batch Collate(IReadOnlyList<TextExample> rows)
    {
        int longest = rows.Max(row => row.InputIds.Length);
        long[] ids = new long[rows.Count * longest];
        bool isPacked = !rows[0].PositionIds.IsEmpty;

        // Padding of packed rows has position 0 everywhere: each token of it is a text of its own.
        long[] second = new long[ids.Length];
        long[] labels = new long[ids.Length];
        Array.Fill(ids, _paddingId);
        Array.Fill(labels, IgnoreIndex);
        for (int row = 0; row < rows.Count; row++)
        {
            for (int i = 0; i < rows[row].InputIds.Length; i++)
            {
                int at = (row * longest) + i;
                (ids[at], labels[at]) = (rows[row].InputIds.Span[i], rows[row].Labels.Span[i]);
                second[at] = isPacked ? rows[row].PositionIds.Span[i] : 1;
            }
        }

        return new Batch(new Dictionary<string, Tensor>
        {
            ["input_ids"] = tensor(ids, rows.Count, longest),
            [isPacked ? "position_ids" : "attention_mask"] = tensor(second, rows.Count, longest),
            ["labels"] = tensor(labels, rows.Count, longest),
        });
    }

    private static void CheckArguments(
        string path, PretrainedTokenizer tokenizer, int length, [CallerArgumentExpression(nameof(length))] string? lengthName = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tokenizer);

        // One token alone predicts nothing.
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 2, lengthName);
    }

    private static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path, StrictUtf8);
        }
        catch (DecoderFallbackException)
        {
            throw new InvalidDataException(Errors.TextNotUtf8(Path.GetFileName(path)));
        }
    }

    private static IEnumerable<int> LineEnds(string text)
    {
        for (int start = 0; start < text.Length;)
        {
            int feed = text.IndexOf('\n', start);
            start = feed < 0 ? text.Length : feed + 1;
            yield return start;
        }
    }

    private static TextDataset Blocks(string path, string text, PretrainedTokenizer tokenizer, int blockLength, int overlap)
    {
        int[] ids = [.. tokenizer.Encode(text, addSpecialTokens: false)];
        var blocks = new List<TextExample>();
        for (int start = 0; start + blockLength + overlap <= ids.Length; start += blockLength)
        {
            ReadOnlyMemory<int> block = ids.AsMemory(start, blockLength + overlap);
            blocks.Add(new TextExample(block, block));
        }

        return blocks.Count > 0
            ? new TextDataset(blocks, PaddingId(tokenizer))
            : throw new InvalidDataException(Errors.TextTooShort(Path.GetFileName(path), ids.Length, blockLength + overlap));
    }

    // Any id will do under a mask of zero; these are what the Python trainers take.
    private static int PaddingId(PretrainedTokenizer tokenizer) => tokenizer.PadTokenId ?? tokenizer.EosTokenId ?? 0;
}
