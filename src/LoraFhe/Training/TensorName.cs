using System.Diagnostics.CodeAnalysis;

namespace LoraFhe;

/// <summary>Names of tensors and of <c>forward</c>'s parameters: <c>input_ids</c>, <c>inputIds</c> and <c>InputIds</c> are one name.</summary>
internal static class TensorName
{
    public static IEqualityComparer<string> Comparer { get; } = new FoldingComparer();

    public static bool IsLabels(string name) => Comparer.Equals(name, Batch.LabelsName) || Comparer.Equals(name, "label");

    public static bool IsAttentionMask(string name) => Comparer.Equals(name, "attention_mask");

    private static string Fold(string name) => name.Replace("_", "", StringComparison.Ordinal).ToUpperInvariant();

    private sealed class FoldingComparer : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y) => x is null || y is null ? x is null && y is null : Fold(x) == Fold(y);

        public int GetHashCode([DisallowNull] string obj) => StringComparer.Ordinal.GetHashCode(Fold(obj));
    }
}
