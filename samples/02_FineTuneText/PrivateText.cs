using LoraFhe.Models;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>The private text as tokens: what is trained on, and the held-out end of it.</summary>
internal sealed record PrivateText(PretrainedTokenizer Tokenizer, TextDataset Training, TextDataset HeldOut)
{
    private const double HeldOutShare = 0.1;
    private const int HeldOutRows = 8;
    private const int QuickRows = 2;

    /// <summary>Whether a file holds texts that stand each for itself, rather than one that can be cut anywhere.</summary>
    public static bool HasRows(string file) => Path.GetExtension(file).Equals(".jsonl", StringComparison.OrdinalIgnoreCase);

    public static PrivateText Read(RunOptions options)
    {
        var tokenizer = PretrainedTokenizer.FromPretrained(options.Model);
        var (training, heldOut) = HasRows(options.Data)
            ? Split(TextDataset.FromJsonLines(options.Data, tokenizer, options.Length), options.Data)
            : TextDataset.SplitTextLines(options.Data, tokenizer, options.Length, HeldOutShare);
        if (options.Pack)
        {
            training = training.Pack(options.Length);
        }

        if (options.Batch > training.Count)
        {
            throw new WrongArgumentException(
                $"--batch {options.Batch} is more than the text has. Expected at most {training.Count}: "
                + $"so many sequences of up to {options.Length} tokens are there to train on.");
        }

        return new PrivateText(tokenizer, training, heldOut.Take(Math.Min(options.Quick ? QuickRows : HeldOutRows, heldOut.Count)));
    }

    private static (TextDataset Training, TextDataset HeldOut) Split(TextDataset rows, string file) => rows.Count > 1
        ? rows.Split(HeldOutShare)
        : throw new InvalidDataException($"--data '{file}' has one row of text. Expected two or more: the last tenth is held out.");
}
