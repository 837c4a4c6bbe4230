using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace LoraFhe.Benchmarks;

/// <summary>The part of the step command that runs in a process of its own: a plan in, one line of JSON out.</summary>
internal static class StepChild
{
    public const string Command = "step-of";
    private const string Pairs = "pairs";
    private const string Alone = "alone";
    private const string Products = "products";

    /// <summary>Several modes in turn.</summary>
    public static PairRun RunPairs(StepPlan plan, TorchSetting setting) =>
        Start(Pairs, plan, StepJson.Default.PairRun, setting.Variables);

    /// <summary>One mode's memory.</summary>
    public static AloneRun RunAlone(StepPlan plan) => Start(Alone, plan, StepJson.Default.AloneRun);

    /// <summary>One product of the model's widths.</summary>
    public static ProductRun RunProducts(StepPlan plan) => Start(Products, plan, StepJson.Default.ProductRun);

    /// <summary>Runs in the process that was started.</summary>
    public static int Run(string[] arguments, TextWriter output, TextReader parent)
    {
        ChildProcess.EndWithParent(parent);
        var plan = JsonSerializer.Deserialize(arguments[1], StepJson.Default.StepPlan)!;
        output.WriteLine(arguments[0] switch
        {
            Pairs => JsonSerializer.Serialize(StepPairs.Run(plan), StepJson.Default.PairRun),
            Alone => JsonSerializer.Serialize(AloneRun.Of(plan), StepJson.Default.AloneRun),
            _ => JsonSerializer.Serialize(ProductRun.Of(plan), StepJson.Default.ProductRun),
        });
        return 0;
    }

    private static T Start<T>(string what, StepPlan plan, JsonTypeInfo<T> type, IReadOnlyDictionary<string, string>? environment = null) =>
        ChildProcess.Run([Command, what, JsonSerializer.Serialize(plan, StepJson.Default.StepPlan)], type, environment);
}
