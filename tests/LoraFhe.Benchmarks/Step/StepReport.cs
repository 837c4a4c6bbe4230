using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoraFhe.Benchmarks;

/// <summary>A mode's step.</summary>
/// <param name="Mode">By Python's name, or <see cref="StepReport.Loopback"/>.</param>
/// <param name="Seconds">Median, nothing set.</param>
/// <param name="OverTorch">Of the steps of one round, nothing set for either.</param>
/// <param name="BestSeconds">Median with the setting that torch is fastest with, or with none: the faster.</param>
/// <param name="OverBest"><paramref name="BestSeconds"/> over torch's: what the bars speak of.</param>
internal sealed record StepRow(string Mode, double Seconds, Spread OverTorch, double BestSeconds, double OverBest);

/// <summary>What was measured of a model. A number that was not asked for is not a number.</summary>
internal sealed record StepModelReport
{
    public required string Model { get; init; }

    public required string Title { get; init; }

    /// <summary>Numbers a token has between layers.</summary>
    public required int Width { get; init; }

    public required int Batch { get; init; }

    public required int Tokens { get; init; }

    public required int Threads { get; init; }

    public required ProductRun Product { get; init; }

    /// <summary>Null if the settings were not tried; then torch as it comes stands for its best.</summary>
    public TorchAtItsBest? TorchAtItsBest { get; init; }

    public IReadOnlyList<StepRow> Rows { get; init; } = [];

    public StepTraffic? Traffic { get; init; }

    public IReadOnlyList<AloneRun> Memory { get; init; } = [];

    public double PrepareSeconds { get; init; }

    /// <summary>Whether it is wide enough, and the step of enough tokens, for the bars of a step to speak of it.</summary>
    public bool BarsHold => Width >= 576 && Tokens >= 256;

    public double TorchSeconds => Row(StepReport.Torch)?.Seconds ?? double.NaN;

    public double ExecuteSeconds => Row(StepReport.Execute)?.Seconds ?? double.NaN;

    public double ExecuteOverTorch => Row(StepReport.Execute)?.OverBest ?? double.NaN;

    public double SimulateOverTorch => Row("simulate")?.OverBest ?? double.NaN;

    public double DisableOverTorch => Row("disable")?.OverBest ?? double.NaN;

    public double LoopbackOverTorch => Row(StepReport.Loopback)?.OverBest ?? double.NaN;

    public double LoopbackOverExecute => LoopbackOverTorch / ExecuteOverTorch;

    public double PeakOverTorch => Peak(StepReport.Execute) / Peak(StepReport.Torch);

    private StepRow? Row(string mode) => Rows.FirstOrDefault(row => row.Mode == mode);

    private double Peak(string mode) => Memory.FirstOrDefault(run => run.Mode == mode)?.PeakBytes ?? double.NaN;
}

/// <summary>All that the step command measures.</summary>
internal sealed record StepReport(string Cpu, int VectorBits, bool FullWidth512, string Kernel, IReadOnlyList<StepModelReport> Models) : IReport
{
    public const string Torch = "torch";
    public const string Execute = "execute";
    public const string Loopback = "execute, server on loopback, TLS";

    [JsonIgnore]
    public string Part => $"step {Kernel}";

    public string ToJson() => JsonSerializer.Serialize(this, StepReportJson.Default.StepReport);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(StepPlan))]
[JsonSerializable(typeof(PairRun))]
[JsonSerializable(typeof(AloneRun))]
[JsonSerializable(typeof(ProductRun))]
internal sealed partial class StepJson : JsonSerializerContext;

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(StepReport))]
internal sealed partial class StepReportJson : JsonSerializerContext;
