namespace LoraFhe.Models;

/// <content>What a language model is called with.</content>
internal static partial class Errors
{
    public static string InputShape(IEnumerable<long> found) =>
        $"The input ids are [{string.Join(", ", found)}]; expected [batch, length], neither of them 0.";

    public static string CompanionShape(string name, IEnumerable<long> found, IEnumerable<long> ids) =>
        $"'{name}' is [{string.Join(", ", found)}]; expected the input ids' shape, [{string.Join(", ", ids)}].";

    public static string NotInt64(string name, string found) => $"'{name}' is {found}; expected Int64.";

    public static string IdOutsideVocabulary(string name, int size) =>
        $"'{name}' has an id that is not of the model's vocabulary: ids are 0 to {size - 1}. Use the tokenizer of the same folder.";

    public static string LabelOutsideVocabulary(string name, int size) =>
        $"'{name}' has a label that is neither -100 nor of the model's vocabulary: ids are 0 to {size - 1}.";

    public static string InputTooLong(long length, int positions) =>
        $"The input ids are {length} tokens long; the model has {positions} positions.";

    public static string PositionOutsideModel(string name, int positions) =>
        $"'{name}' has a position that the model does not have: positions are 0 to {positions - 1}.";
}
