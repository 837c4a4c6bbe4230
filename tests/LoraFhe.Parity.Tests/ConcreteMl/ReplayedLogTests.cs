using System.Globalization;
using System.Text.RegularExpressions;
using LoraFhe.Fixtures;
using LoraFhe.Tests.Training;

namespace LoraFhe.Tests.Parity;

/// <summary>The log file of recorded runs, line by line: order, wording, digits.</summary>
public sealed partial class ReplayedLogTests
{
    // Seven digits of a recorded float32, the last of which may be rounded the other way.
    private const double LastDigit = 1.5e-6;

    public static TheoryData<string> TorchRuns => GoldenMlpTests.TorchRuns;

    [Theory]
    [MemberData(nameof(TorchRuns))]
    public void The_log_file_of_a_torch_run_has_the_recorded_lines(string name)
    {
        using var recorded = new RecordedMlp(name);
        using var folder = new TemporaryFolder();
        var (checkpoints, log) = (folder.At("ckpt"), folder.At("training.log"));
        using var optimizer = recorded.Optimizer();
        var logger = Lora.SetupLogger(log);
        using (var trainer = recorded.Trainer(optimizer, recorded.Config["checkpoint"].AsBoolean ? checkpoints : null, logger))
        {
            trainer.Train(recorded.TrainBatches, recorded.Config["epochs"].AsInt32, recorded.Mode, cancellationToken: Cancellation.Token);
        }

        ((IDisposable)logger).Dispose();
        var written = File.ReadAllLines(log);
        Assert.All(written, line => Assert.Matches(LinePattern(), line));
        AssertLines(RecordedLog.Expected(recorded.Run, checkpoints), [.. RecordedLog.Messages(string.Join('\n', written))]);
    }

    [Theory]
    [MemberData(nameof(TorchRuns))]
    public void Updates_come_after_the_recorded_batches_at_the_recorded_learning_rates(string name)
    {
        using var recorded = new RecordedMlp(name);
        using var optimizer = recorded.Optimizer();
        using var trainer = recorded.Trainer(optimizer);
        var (updates, rates) = (new List<int>(), new List<double>());
        var rate = optimizer.ParamGroups.Single().LearningRate;

        // After an update the gradients are zero, and the schedule has set the next rate.
        var progress = new ImmediateProgress<TrainingProgress>(done =>
        {
            if (recorded.Model.TrainableParameters().All(parameter => parameter.grad!.abs().sum().ToDouble() == 0))
            {
                updates.Add(done.GlobalStep);
                rates.Add(rate);
                rate = optimizer.ParamGroups.Single().LearningRate;
            }
        });
        trainer.Train(recorded.TrainBatches, recorded.Config["epochs"].AsInt32, recorded.Mode, progress: progress, cancellationToken: Cancellation.Token);

        Assert.Equal(recorded.Run["optimizer_stepped_after_n_batches"].AsInt32s, updates);
        Assert.All(recorded.Run["lr_used_at_each_optimizer_step"].AsDoubles.Zip(rates), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
        Assert.Equal(recorded.Run["lr_after_training"].AsDouble, rate, 1e-12);
        Assert.Equal(recorded.Run["model_training_flag_after"].AsBoolean, recorded.Model.training);
    }

    [Fact]
    public void A_run_that_the_reference_cannot_compile_trains()
    {
        using var recorded = new RecordedMlp("disable_skip0_error");
        Assert.Contains("torch.cat()", recorded.Run["error"]["message"].AsString, StringComparison.Ordinal);
        using var optimizer = recorded.Optimizer();
        using var trainer = recorded.Trainer(optimizer);
        trainer.Compile(recorded.Inputset, cancellationToken: Cancellation.Token);
        trainer.Train(recorded.TrainBatches, fhe: recorded.Mode, cancellationToken: Cancellation.Token);

        Assert.Equal(recorded.Run["remote_names"].AsStrings, trainer.RemoteNames);
        Assert.Equal(7, trainer.GetTrainingLosses().Count);
        Assert.Equal([.. RecordedLog.Messages(recorded.Run["training_log"].AsString), "Compilation complete."], recorded.Logger.Lines.Take(2));
    }

    private static void AssertLines(IReadOnlyList<string> expected, IReadOnlyList<string> actual)
    {
        Assert.Equal(expected.Select(WithoutNumbers), actual.Select(WithoutNumbers));
        foreach (var (left, right) in expected.Zip(actual).Where(pair => !pair.First.EndsWith(RecordedLog.AnyNumber, StringComparison.Ordinal)))
        {
            foreach (var (number, found) in Numbers(left).Zip(Numbers(right)))
            {
                Assert.Equal(number, found, LastDigit);
            }
        }
    }

    // Digits before the point may differ where the last digit does; those after it are counted.
    private static string WithoutNumbers(string line) =>
        Number().Replace(line.Replace(RecordedLog.AnyNumber, "0.000000", StringComparison.Ordinal), match => match.Value.Length - match.Value.IndexOf('.', StringComparison.Ordinal) - 1 + " digits");

    private static IEnumerable<double> Numbers(string line) => Number().Matches(line).Select(match => double.Parse(match.Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"\d+\.\d+")]
    private static partial Regex Number();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - INFO - ")]
    private static partial Regex LinePattern();
}
