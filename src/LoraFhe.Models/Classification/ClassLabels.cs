namespace LoraFhe.Models;

/// <summary>The keys of a <c>config.json</c> that tell of classes.</summary>
internal static class ClassLabels
{
    private const int DefaultCount = 2;

    /// <summary>Reads the names of the classes, by their numbers: <c>id2label</c>'s, otherwise <c>num_labels</c> or two of Python's
    /// default names.</summary>
    public static IReadOnlyList<string> ReadNames(NamedJson json)
    {
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (number, name) in json.TryGetValue("id2label", out var names) ? names.Members : [])
        {
            named[number] = name.Text;
        }

        return named.Count == 0
            ? DefaultNames(json.CountOr("num_labels", DefaultCount))
            : [.. DefaultNames(named.Count).Select((otherwise, index) => named.GetValueOrDefault($"{index}", otherwise))];
    }

    /// <summary>Reads what the labels are; null where the file leaves it to the labels.</summary>
    /// <exception cref="InvalidDataException">It is a kind that is not known here.</exception>
    public static ProblemType? ReadProblemType(NamedJson json) => json.TryGetValue("problem_type", out var type)
        ? type.Text switch
        {
            "regression" => ProblemType.Regression,
            "single_label_classification" => ProblemType.SingleLabelClassification,
            "multi_label_classification" => ProblemType.MultiLabelClassification,
            _ => throw type.Unsupported("'regression', 'single_label_classification' and 'multi_label_classification' are"),
        }
        : null;

    /// <summary>Python's names for classes that have none.</summary>
    public static IReadOnlyList<string> DefaultNames(int count) => [.. Enumerable.Range(0, count).Select(index => $"LABEL_{index}")];
}
