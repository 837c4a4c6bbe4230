namespace LoraFhe.Models;

// Training texts are private: no method here takes a piece of one.
internal static partial class Errors
{
    public static string TextNotUtf8(string file) => $"{file}: not valid UTF-8. Save it as UTF-8.";

    public static string TextTooShort(string file, int tokens, int needed) => $"{file}: {tokens} tokens to train or to evaluate on; one block needs {needed}. Use a longer text or a smaller block length.";

    public static string LineNotJson(string file, int line) => $"{file} line {line}: not valid JSON.";

    public static string LineFields(string file, int line) =>
        $"{file} line {line}: a row needs 'text', or 'prompt' and 'completion'. Chat messages must be written out as 'text' first.";

    public static string NoRows(string file, int maxLength) => $"{file}: no row has a token to predict within {maxLength} tokens. Raise maxLength, or shorten the prompts.";

    public static string RowTooLong(int row, int tokens, int blockLength) =>
        $"Row {row} has {tokens} tokens; a block holds {blockLength}. Raise blockLength, or read the rows with a maxLength of at most that.";

    public static string FewExamples(int asked, int present) => $"{asked} examples were asked for; the dataset has {present}. Ask for at most that many.";

    public static string EmptyPart(double heldOut, int present) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Holding out {heldOut} of {present} rows leaves one part empty. Each needs a row at least.");
}
