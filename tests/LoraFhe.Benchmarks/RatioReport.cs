using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoraFhe.Benchmarks;

/// <summary>One shape at one number of tokens and threads: medians of pair ratios, with their 10–90 % range.</summary>
internal sealed record RatioRow(
    int Inputs, int Outputs, int Tokens, int Threads, double TorchMilliseconds, double TorchGmacs,
    Spread Server, Spread Whole, Spread Client);

/// <summary>Median and 10–90 % range.</summary>
internal sealed record Spread(double Median, double Low, double High)
{
    public static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        double At(double quantile) => sorted[(int)Math.Round(quantile * (sorted.Length - 1))];
        return new Spread(At(0.5), At(0.1), At(0.9));
    }
}

/// <summary>All rows of a run, and the means that the bars speak of: n = 512, all threads, over the five shapes of the table.</summary>
internal sealed record RatioReport(
    string Cpu, int VectorBits, string Kernel, double TorchGmacs, double MeanWhole, double MeanServer, IReadOnlyList<RatioRow> Rows) : IReport
{
    [JsonIgnore]
    public string Part => $"ratios {Kernel}";

    public string ToJson() => JsonSerializer.Serialize(this, RatioJson.Default.RatioReport);
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(RatioReport))]
internal sealed partial class RatioJson : JsonSerializerContext;
