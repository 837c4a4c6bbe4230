using LoraFhe.Fixtures;
using LoraFhe.Tests;
using LoraFhe.Tests.Training;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>The recorded corner cases by name, each with its call here.</summary>
internal static partial class Probes
{
    public static IReadOnlyDictionary<string, Probe> All { get; } =
        new[] { Detection, Inputs, Forward, Names, Replacement, Trainers, Records, Deployment }
            .SelectMany(part => part).ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal);

    private static string FirstArgument(GoldenJson recorded) => recorded["args"][0].AsString;

    // Texts here add what was found and the cure; what the reference says begins them.
    private static void AssertSays(string expected, Exception error) =>
        Assert.Contains(expected.TrimEnd('.'), error.Message, StringComparison.Ordinal);

    private static Tensor Mse(Tensor logits, Tensor labels) => nn.functional.mse_loss(logits, labels);

    /// <summary>A trainer of the reference's dummy model, silent unless a logger is given.</summary>
    private static TrainerOf<DummyLoraModel> Dummy(
        Func<Tensor, Tensor, Tensor>? lossFn = null, string? checkpointDir = null, RecordingLogger? logger = null,
        Func<nn.Module, IEnumerable<Batch>, IReadOnlyDictionary<string, double>>? evalMetricFn = null, IEnumerable<Batch>? evalLoader = null,
        int evalSteps = 10, int width = 10) =>
        new(new DummyLoraModel(width, width == 10 ? 20 : width), model => optim.SGD([model.LoraA], 0.01), (model, optimizer) => new LoraTrainer(
            model, optimizer, lossFn, evalLoader: evalLoader, evalMetricFn: evalMetricFn, evalSteps: evalSteps,
            checkpointDir: checkpointDir, logger: logger ?? new RecordingLogger()));

    private static Batch Pair(int rows = 3, int width = 10) => (randn(rows, width), randn(rows, width));

    private static Batch Named(params (string Name, Tensor Value)[] tensors) => new(tensors.Select(entry => KeyValuePair.Create(entry.Name, entry.Value)));

    private static void Train(LoraTrainer trainer, IEnumerable<IReadOnlyDictionary<string, Tensor>> loader, int epochs = 1, HybridFheMode mode = HybridFheMode.Torch) =>
        trainer.Train(loader, epochs, mode, cancellationToken: Cancellation.Token);

    private static void AssertLog(GoldenJson recorded, RecordingLogger logger) =>
        Assert.Equal(RecordedLog.Messages(recorded.AsString).Select(WithoutNumbers), logger.Lines.Select(WithoutNumbers));

    private static string WithoutNumbers(string line) => SixDigits().Replace(line, "#");

    [System.Text.RegularExpressions.GeneratedRegex(@"\d+\.\d{6}")]
    private static partial System.Text.RegularExpressions.Regex SixDigits();
}
