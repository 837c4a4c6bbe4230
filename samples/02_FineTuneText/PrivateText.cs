using LoraFhe.Models;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>The private text as tokens: what is trained on, and the held-out end of it.</summary>
internal sealed record PrivateText(PretrainedTokenizer Tokenizer, TextDataset Training, TextDataset HeldOut)
{
    private const double HeldOutShare = 0.1;
    private const int HeldOutRows = 8;
    private const int QuickRows = 2;

    public static PrivateText Read(RunOptions options)
    {
        var tokenizer = PretrainedTokenizer.FromPretrained(options.Model);
        var isJson = Path.GetExtension(options.Data).Equals(".jsonl", StringComparison.OrdinalIgnoreCase);
        var (training, heldOut) = isJson
            ? TextDataset.FromJsonLines(options.Data, tokenizer, options.Length).Split(HeldOutShare)
            : TextDataset.SplitTextLines(options.Data, tokenizer, options.Length, HeldOutShare);
        return new PrivateText(tokenizer, training, heldOut.Take(Math.Min(options.Quick ? QuickRows : HeldOutRows, heldOut.Count)));
    }
}
