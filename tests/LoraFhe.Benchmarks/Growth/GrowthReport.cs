using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoraFhe.Benchmarks;

/// <summary>All that the growth command measures, and what follows from it.</summary>
internal sealed record GrowthReport : IReport
{
    public required string Cpu { get; init; }

    public required string Kernel { get; init; }

    public required int Threads { get; init; }

    /// <summary>One layer, more and more tokens.</summary>
    public required IReadOnlyList<GrowthPoint> ByTokens { get; init; }

    /// <summary>Square layers, wider and wider.</summary>
    public required IReadOnlyList<GrowthPoint> ByWidth { get; init; }

    /// <summary>Whole steps, more and more layers; the last one is not in the constants.</summary>
    public required IReadOnlyList<DepthPoint> ByLayers { get; init; }

    /// <summary>From all of <see cref="ByLayers"/> but the last.</summary>
    public required StepConstants Constants { get; init; }

    /// <summary>Of the last of <see cref="ByLayers"/>.</summary>
    public required StepPrediction Check { get; init; }

    public required IReadOnlyList<StepPrediction> Predictions { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, GrowthJson.Default.GrowthReport);

    [JsonIgnore]
    public string Part => "growth";

    [JsonIgnore]
    public IReadOnlyDictionary<string, string> Images => new Dictionary<string, string> { ["growth.svg"] = GrowthPlot.Svg(this) };
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(GrowthReport))]
internal sealed partial class GrowthJson : JsonSerializerContext;
