namespace LoraFhe.Benchmarks;

/// <summary>What a command measured.</summary>
internal interface IReport
{
    /// <summary>The part of docs/performance.md that shows it.</summary>
    string Part { get; }

    /// <summary>All of it, as JSON.</summary>
    string ToJson();

    /// <summary>Pictures that the part shows: SVG by file name.</summary>
    IReadOnlyDictionary<string, string> Images => new Dictionary<string, string>();
}
