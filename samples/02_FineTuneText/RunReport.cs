using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>The run's figures, as <c>--report</c> writes them.</summary>
internal sealed record RunReport
{
    public required string Mode { get; init; }
    public required int Steps { get; init; }
    public required IReadOnlyList<double> Losses { get; init; }
    public required double PerplexityBefore { get; init; }
    public required double PerplexityAfter { get; init; }
    public required double TorchPerplexityAfter { get; init; }
    public required double? SecondsPerStep { get; init; }
    public required double? TorchSecondsPerStep { get; init; }
    public required long BytesUp { get; init; }
    public required long BytesDown { get; init; }
    public required string Kernel { get; init; }
    public required int Seed { get; init; }
    public required IReadOnlyList<double> TorchLosses { get; init; }
    public required double ClientShareOfMultiplyAdds { get; init; }
    public required string Cpu { get; init; }
    public required int Threads { get; init; }
    public required int Bits { get; init; }
    public required int Rank { get; init; }
    public required long TrainableParameters { get; init; }
    public required string GenerationBefore { get; init; }
    public required string GenerationAfter { get; init; }

    /// <summary>Steps that an earlier process had done; bytes and seconds are those of the later ones.</summary>
    public required int ResumedAfterStep { get; init; }

    /// <summary>Sees that a report can be written, so that nobody learns at the end that it cannot.</summary>
    /// <exception cref="IOException">It cannot.</exception>
    public static void CheckPlace(string file)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            using var probe = new FileStream(file + ".tmp", FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"--report '{file}' cannot be written ({e.Message}). Expected a file in a folder that can be written.", e);
        }
    }

    /// <summary>Writes the report whole or not at all.</summary>
    public void Save(string file) => WholeFile.Write(file, JsonSerializer.Serialize(this, ReportJson.Default.RunReport));
}

/// <summary>The report's JSON names: camel case.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(RunReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
