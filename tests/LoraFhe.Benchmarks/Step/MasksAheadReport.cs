using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoraFhe.Benchmarks;

/// <summary>A model's steps without and with masks made ahead: ratios of medians.</summary>
internal sealed record MasksAheadRow(
    string Model, string Title, int Batch, int Tokens, int Threads, double ExecuteOverTorch, double AheadOverTorch, double AheadOverExecute);

/// <summary>All that the masks command measures.</summary>
internal sealed record MasksAheadReport(string Cpu, string Kernel, IReadOnlyList<MasksAheadRow> Rows) : IReport
{
    [JsonIgnore]
    public string Part => "masks";

    public string ToJson() => JsonSerializer.Serialize(this, MasksAheadJson.Default.MasksAheadReport);
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(MasksAheadReport))]
internal sealed partial class MasksAheadJson : JsonSerializerContext;
