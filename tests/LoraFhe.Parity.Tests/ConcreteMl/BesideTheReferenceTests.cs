using System.Globalization;
using LoraFhe.Tests;
using LoraFhe.Tests.Training;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>Our arithmetic beside the reference's, on the same inputs: how far each is from the clear product, and from clear training.</summary>
/// <remarks>What is printed: <c>dotnet test -c Release tests/LoraFhe.Parity.Tests --filter BesideTheReference --logger "console;verbosity=detailed"</c>.</remarks>
public sealed class BesideTheReferenceTests(Replays replays, ITestOutputHelper output) : IClassFixture<Replays>
{
    // Seen here: 0.5 % at most; the reference's own are 5 % off after one update.
    private const double NormTolerance = 0.02;

    // Of a loss's size. Seen: 5e-4 at most.
    private const double LossTolerance = 1e-3;

    private const double AdamWChangeTolerance = 0.15;

    /// <summary>The compiled runs of whose first batch every remote call's input and output were recorded.</summary>
    public static TheoryData<string> RunsWithCalls => [.. RecordedCases.Of(RecordedCases.ConcreteRuns, "config.fhe!=torch", "!error").Where(RecordedRun.HasCalls)];

    [Theory]
    [MemberData(nameof(RunsWithCalls))]
    public void Every_product_is_nearer_to_the_clear_one_than_the_references(string name)
    {
        using var scope = NewDisposeScope();
        using var recorded = new RecordedRun(name);
        var warnings = new RecordingLogger();
        using var trainer = recorded.Trainer(checkpointDir: null, warnings);
        trainer.Compile(
            recorded.Inputset, recorded.Config["n_bits"].AsInt32, recorded.Config["use_dynamic_quantization"].AsBoolean, cancellationToken: Cancellation.Token);
        using var noGraph = no_grad();
        output.WriteLine("| product | shape | rms of the clear product | rms of the reference's error | rms of ours | theirs / ours |");
        output.WriteLine("|---|---|---|---|---|---|");
        foreach (var (module, i) in recorded.Run["remote_calls_first_batch"].Items.Select((call, i) => (call["module"].AsString, i)))
        {
            var (input, theirs) = (recorded.Tensor("runs/" + recorded.Name, $"io.{i}.in"), recorded.Tensor("runs/" + recorded.Name, $"io.{i}.out"));
            var clear = Product(trainer.HybridModel, HybridFheMode.Torch, module, input);
            warnings.Lines.Clear();
            var (their, our) = (Rms(theirs - clear), Rms(Product(trainer.HybridModel, recorded.Mode, module, input) - clear));

            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {Short(module)} | {string.Join(" × ", input.shape)} → {string.Join(" × ", clear.shape)} | {Text(Rms(clear))} | {Text(their)} | {Text(our)} | {their / our:f1} |"));

            // A row that is longer than any of the calibration batch is scaled down where one scale is for all: there the reference may be nearer, and a warning says so.
            Assert.True(our < their || (warnings.Lines.Count == 1 && !recorded.Config["use_dynamic_quantization"].AsBoolean), $"{module}: {our}, the reference's {their}");
        }
    }

    [Theory]
    [Recorded(RecordedCases.ConcreteRuns, "config.fhe!=torch", "config.use_dynamic_quantization=True", "!error")]
    public void Gradients_and_adapters_are_nearer_to_those_of_clear_training_than_the_references(string name)
    {
        var (replay, clear) = (replays[name], replays.Clear(name));
        output.WriteLine("| | clear | distance of the reference's | of ours | theirs / ours |");
        output.WriteLine("|---|---|---|---|---|");

        // A loss is one number, in which errors may cancel: it may be near by luck.
        var losses = Beside("losses, rms", [.. clear.Trainer.GetTrainingLosses()], replay.Recorded.Run["training_losses"].AsDoubles, [.. replay.Trainer.GetTrainingLosses()]);
        Assert.InRange(losses.Ours, 0, LossTolerance);
        var gradient = Beside("first gradient, rms", Joined(clear, One(clear.FirstGradient)), Joined(clear, One(replay.Recorded.FirstGradient)), Joined(clear, One(replay.FirstGradient)));
        Assert.InRange(gradient.Ours, 0, gradient.Theirs);
        var change = Beside("change of the adapters, rms", Joined(clear, Change(clear.Recorded, parameter => clear.Final[parameter])),
            Joined(clear, Change(clear.Recorded, replay.Recorded.Final)), Joined(clear, Change(clear.Recorded, parameter => replay.Final[parameter])));

        // AdamW moves an element by its gradient's sign, however small that is: on the wide model both end 11 % off.
        Assert.InRange(change.Ours, 0, replay.Recorded.Config["optimizer"]["type"].AsString == "adamw" ? AdamWChangeTolerance : change.Theirs);
    }

    // On Llama-3.2-1B gradients through the reference's execute mode were seen to be 8 to 27 times too long.
    [Theory]
    [InlineData("glwe/disable_skip1_sgd")]
    [InlineData("glwe/disable_skip1_sgd_12bit")]
    [InlineData("glwe/execute_skip1_sgd")]
    public void Gradients_are_as_long_as_those_of_clear_training(string name)
    {
        using var clear = new RecordedRun("glwe/torch_skip1_sgd");
        var stats = replays[name].Trainer.GetGradientStats();
        Assert.All(clear.Run["gradient_stats"].Members, entry => Assert.All(entry.Value.AsDoubles.Zip(stats[entry.Name]), pair =>
            Close.Within(NormTolerance * pair.First, pair.First, pair.Second, $"{name}, {entry.Name}")));
    }

    // Distances from what is clear, in parts of it.
    private (double Theirs, double Ours) Beside(string what, double[] clear, double[] theirs, double[] ours)
    {
        var (length, their, our) = (Rms(clear), Rms(Difference(theirs, clear)), Rms(Difference(ours, clear)));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {Text(length)} | {Text(their)} ({their / length:p3}) | {Text(our)} ({our / length:p3}) | {their / our:f1} |"));
        return (their / length, our / length);
    }

    private static double[] Joined(Replay run, Func<string, IEnumerable<double>> values) => [.. run.Final.Keys.SelectMany(values)];

    private static Func<string, IEnumerable<double>> One(Func<string, float[]> values) => parameter => values(parameter).Select(value => (double)value);

    private static Func<string, IEnumerable<double>> Change(RecordedRun run, Func<string, float[]> end) => parameter =>
    {
        using var start = run.Tensor("init", parameter);
        return Difference(One(end)(parameter), start.data<float>().ToArray().Select(value => (double)value));
    };

    private static double[] Difference(IEnumerable<double> left, IEnumerable<double> right) => [.. left.Zip(right).Select(pair => pair.First - pair.Second)];

    private static double Rms(double[] values) => Math.Sqrt(values.Average(value => value * value));

    private static double Rms(Tensor tensor) => tensor.to(float64).square().mean().sqrt().item<double>();

    private static Tensor Product(HybridFheModel model, HybridFheMode mode, string module, Tensor input) =>
        model.Run(mode, () => model.RemoteModules.Single(remote => remote.RemoteName == module).call(input));

    private static string Text(double number) => number.ToString("0.00e-0", CultureInfo.InvariantCulture);

    private static string Short(string module) => module["inference_model.base_model.model.".Length..].Replace(".base_layer", "", StringComparison.Ordinal).Replace("_module", "", StringComparison.Ordinal);
}
