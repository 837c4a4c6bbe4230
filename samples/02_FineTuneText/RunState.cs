using System.Text.Json.Serialization;

namespace LoraFhe.Samples.FineTuneText;

/// <summary>What <c>--resume</c> needs beside a checkpoint.</summary>
/// <param name="Options">The options the run was started with.</param>
/// <param name="PerplexityBefore">Measured before the first step; null until then.</param>
/// <param name="SampleBefore">Generated before the first step; null until then.</param>
/// <param name="Finished">The numbers of steps at which the run was finished before it was given more.</param>
internal sealed record RunState(RunOptions Options, double? PerplexityBefore = null, string? SampleBefore = null, IReadOnlyList<int>? Finished = null);

/// <summary>The state's JSON.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(RunState))]
internal sealed partial class RunStateJson : JsonSerializerContext;
