namespace LoraFhe.Models;

/// <content>Classification.</content>
internal static partial class Errors
{
    /// <summary>The cure where a language model was asked for.</summary>
    public const string ClassifierCure = "SequenceClassifier.FromPretrained loads a classifier";

    /// <summary>The cure where a classifier was asked for.</summary>
    public const string LanguageModelCure =
        "CausalLanguageModel.FromPretrained loads a language model, and SequenceClassifier.FromPretrained(folder, labelCount) puts a fresh head on it";

    /// <summary>The cure where a fresh head was asked for.</summary>
    public const string FreshHeadCure = "SequenceClassifier.FromPretrained(folder) loads a classifier with the head it has";

    public static string BatchWithoutPadding(long batch) =>
        $"There are {batch} texts and no padding token, so where each ends is not known. " +
        "Set the classifier's PadTokenId, usually the tokenizer's, or give one text at a time.";

    public static string ClassLabelShape(IEnumerable<long> found, IEnumerable<long> expected) =>
        $"The labels are [{string.Join(", ", found)}]; expected [{string.Join(", ", expected)}].";

    public static string LabelNoClass(string name, int classes) =>
        $"'{name}' has a label that is neither -100 nor a class: classes are 0 to {classes - 1}.";

    public static string LabelsNotFloat(string name, string found) =>
        $"'{name}' is {found}; expected floating point, as the model predicts numbers. For one class a text set \"problem_type\": " +
        "\"single_label_classification\".";
}
