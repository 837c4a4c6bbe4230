using System.Globalization;
using System.Text.RegularExpressions;
using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tools.Soak;

/// <summary>A LoRA fine-tuning that peft did on float32 libtorch: its initial adapter, its batches in order, what it reached.</summary>
internal sealed partial class RecordedRun : IDisposable
{
    private readonly Golden _golden;
    private readonly GoldenJson _report;

    private RecordedRun(string modelFolder, Golden golden)
    {
        (ModelFolder, _golden, _report) = (modelFolder, golden, golden.Json("report.json"));
        LearningRate = double.Parse(Optimizer().Match(_report["optim"].AsString).Groups["lr"].Value, CultureInfo.InvariantCulture);
        BatchSize = _report["batch"].AsInt32;
        Length = _report["block"].AsInt32;
        Losses = _report["losses"].AsDoubles;
        FirstGradientNorm = _report["grad_norm_step0"].AsDouble;
        Before = new RecordedEvaluation(_report["before"], _report["gen_before"]);
        After = new RecordedEvaluation(_report["after"], _report["gen_after"]);
    }

    public string ModelFolder { get; }

    public string InitialAdapter => _golden.File("adapter-init");

    /// <summary>Of AdamW, with no weight decay.</summary>
    public double LearningRate { get; }

    public int BatchSize { get; }

    /// <summary>Tokens of a sequence.</summary>
    public int Length { get; }

    /// <summary>One a step.</summary>
    public IReadOnlyList<double> Losses { get; }

    public double FirstGradientNorm { get; }

    public RecordedEvaluation Before { get; }

    public RecordedEvaluation After { get; }

    public static RecordedRun TinyAusten() =>
        new(RepositoryFolder.At("models", "tiny-austen"), Golden.Open("lora/tiny-austen-proverbs"));

    /// <param name="testModels">What <c>.ci/unpack-test-models</c> made.</param>
    public static RecordedRun SmolLm2(string testModels) =>
        new(Path.Combine(testModels, "smollm2"), Golden.OpenFolder(Path.Combine(testModels, "lora", "smollm2-proverbs")));

    /// <summary>The first batches; each is its own labels. The caller disposes them.</summary>
    public List<Batch> Batches(int steps)
    {
        var ids = _golden.Int64s("batches", "batches").Values;
        var size = BatchSize * Length;
        return [.. Enumerable.Range(0, steps).Select(i => Labeled(ids.AsSpan(i * size, size), BatchSize))];
    }

    /// <summary>The held-out text in windows, each of which sees nothing of the one before. The caller disposes them.</summary>
    public List<Batch> HeldOut() => Windows(_report["eval_ids"].AsInt64s, _report["before"]["window"].AsInt32);

    /// <summary>Cuts a text into windows that predict <paramref name="window"/> tokens each.</summary>
    public static List<Batch> Windows(ReadOnlySpan<long> ids, int window)
    {
        var windows = new List<Batch>();
        for (var start = 0; start + 1 < ids.Length; start += window)
        {
            windows.Add(Labeled(ids.Slice(start, Math.Min(window + 1, ids.Length - start)), rows: 1));
        }

        return windows;
    }

    public void Dispose() => _golden.Dispose();

    private static Batch Labeled(ReadOnlySpan<long> ids, int rows)
    {
        var inputIds = tensor(ids.ToArray(), rows, ids.Length / rows);
        return new Batch(new Dictionary<string, Tensor> { ["input_ids"] = inputIds, ["labels"] = inputIds.clone() });
    }

    [GeneratedRegex(@"^AdamW lr=(?<lr>[0-9.]+) constant, betas \.9/\.999, eps 1e-8, weight_decay 0, no clipping, no dropout$")]
    private static partial Regex Optimizer();
}
