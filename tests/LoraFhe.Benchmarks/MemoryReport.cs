using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoraFhe.Benchmarks;

/// <summary>A process's memory after a step.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="ResidentBytes">What the process holds in memory.</param>
/// <param name="PeakBytes">The most it ever held.</param>
/// <param name="ManagedBytes">What the managed heap holds after a full collection.</param>
/// <param name="Tensors">Tensors alive.</param>
/// <param name="AllocatedBytesPerStep">Managed memory allocated a step since the sample before, by all threads.</param>
internal sealed record MemorySample(int Step, long ResidentBytes, long PeakBytes, long ManagedBytes, long Tensors, double AllocatedBytesPerStep);

/// <summary>One mode's many steps of the tiny network.</summary>
internal sealed record MemoryRow(string Mode, IReadOnlyList<MemorySample> Samples);

/// <summary>A few steps of the wide model.</summary>
/// <param name="Mode">How the frozen layers are computed.</param>
/// <param name="PeakBytes">The most the process ever held, as <c>/usr/bin/time -v</c> tells.</param>
/// <param name="PrivateBytes">The most after any step that no file stands behind.</param>
/// <param name="HintBytes">Hints in memory. Only execute has any.</param>
/// <param name="MappedHintBytes">Hints mapped from a folder, whose memory the system may take back.</param>
/// <param name="AllocatedBytesPerStep">Managed memory allocated a step.</param>
internal sealed record PeakRow(string Mode, long PeakBytes, long PrivateBytes, long HintBytes, long MappedHintBytes, double AllocatedBytesPerStep);

/// <summary>All that the memory command measures.</summary>
internal sealed record MemoryReport(string Cpu, int Steps, IReadOnlyList<MemoryRow> Tiny, IReadOnlyList<PeakRow> Wide) : IReport
{
    [JsonIgnore]
    public string Part => "memory";

    public string ToJson() => JsonSerializer.Serialize(this, MemoryJson.Default.MemoryReport);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(MemoryReport))]
[JsonSerializable(typeof(MemoryRow))]
[JsonSerializable(typeof(PeakRow))]
internal sealed partial class MemoryJson : JsonSerializerContext;
