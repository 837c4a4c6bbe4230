namespace LoraFhe.Models;

/// <summary>What a classifier's labels are, and so which loss it has (transformers' <c>problem_type</c>).</summary>
public enum ProblemType
{
    /// <summary>Numbers: the mean squared error.</summary>
    Regression,

    /// <summary>One class a text: the cross entropy.</summary>
    SingleLabelClassification,

    /// <summary>Any number of classes a text, each there or not: the binary cross entropy.</summary>
    MultiLabelClassification,
}
