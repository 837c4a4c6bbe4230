using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>A run that was stopped and taken up again by a new trainer is the run that was never stopped, bit for bit.</summary>
public sealed class ResumeTests
{
    private const int Epochs = 3;

    public static TheoryData<HybridFheMode, bool> Cases => new()
    {
        { HybridFheMode.Torch, true },
        { HybridFheMode.Torch, false },
        { HybridFheMode.Disable, true },
        { HybridFheMode.Disable, false },
        { HybridFheMode.Simulate, true },
        { HybridFheMode.Simulate, false },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_run_resumed_after_an_epoch_equals_one_that_was_not_stopped(HybridFheMode mode, bool adamW)
    {
        using var folder = new TemporaryFolder();
        var (losses, weights, stats) = Uninterrupted(mode, adamW);
        using (var first = new SmallRun(folder.Path, adamW: adamW))
        {
            first.Train(mode, epochs: 1);
        }

        using var second = new SmallRun(folder.Path, seed: 77, adamW: adamW);
        second.Train(mode, Epochs);
        AssertSame(losses, weights, stats, second);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_run_resumed_in_the_midst_of_an_epoch_equals_one_that_was_not_stopped(HybridFheMode mode, bool adamW)
    {
        using var folder = new TemporaryFolder();
        var (losses, weights, stats) = Uninterrupted(mode, adamW);
        using (var first = new SmallRun(folder.Path, adamW: adamW))
        {
            // Step 11 is the fourth batch of the second epoch, the end of its second window.
            first.TrainUntil(11, mode, Epochs);
            Assert.Equal(["checkpoint_epoch_1.safetensors", "checkpoint_epoch_1_step_11.safetensors"], folder.Names());
        }

        using var second = new SmallRun(folder.Path, seed: 78, adamW: adamW);
        second.Train(mode, Epochs);
        AssertSame(losses, weights, stats, second);
    }

    [Fact]
    public void A_stop_inside_a_window_waits_for_the_windows_end()
    {
        using var folder = new TemporaryFolder();
        using var run = new SmallRun(folder.Path);
        run.TrainUntil(3, HybridFheMode.Torch, Epochs);
        Assert.Equal(["checkpoint_epoch_0_step_4.safetensors"], folder.Names());
        Assert.Equal(4, run.Losses.Count);
    }

    [Fact]
    public void A_stopped_trainer_goes_on_by_itself_when_called_again()
    {
        var (losses, weights, stats) = Uninterrupted(HybridFheMode.Torch, adamW: true);
        using var run = new SmallRun();
        run.TrainUntil(9, HybridFheMode.Torch, Epochs);
        run.Train(HybridFheMode.Torch, Epochs);
        AssertSame(losses, weights, stats, run);
    }

    [Fact]
    public void A_resumed_run_passes_over_what_is_done_without_computing_it()
    {
        using var folder = new TemporaryFolder();
        using (var first = new SmallRun(folder.Path))
        {
            first.TrainUntil(11, HybridFheMode.Torch, Epochs);
        }

        var computed = 0;
        using var second = new SmallRun(folder.Path, lossFn: (logits, labels) =>
        {
            computed++;
            return nn.functional.cross_entropy(logits, labels);
        });
        second.Train(HybridFheMode.Torch, epochs: 2);
        Assert.Equal(14 - 11, computed);
        Assert.Equal(14, second.Losses.Count);
    }

    [Fact]
    public void A_loader_that_shuffles_by_torchs_generator_resumes_exactly()
    {
        double[] Losses(string? folder, int? stopAt, int seed)
        {
            using var run = new SmallRun(folder, seed);
            var loader = new GeneratorShuffledLoader(run.Loader);
            using var source = new CancellationTokenSource();
            var stop = new ImmediateProgress<TrainingProgress>(done =>
            {
                if (done.GlobalStep == stopAt)
                {
                    source.Cancel();
                }
            });
            if (folder is not null && CheckpointFolder.Newest(folder) is { } newest)
            {
                run.Trainer.LoadCheckpoint(newest);
            }

            try
            {
                run.Trainer.Train(loader, Epochs, HybridFheMode.Torch, progress: stop, cancellationToken: source.Token);
            }
            catch (OperationCanceledException) when (stopAt is not null)
            {
            }

            return [.. run.Losses];
        }

        using var folder = new TemporaryFolder();
        var expected = Losses(null, null, seed: 1);
        Losses(folder.Path, stopAt: 11, seed: 1);
        Assert.Equal(expected, Losses(folder.Path, null, seed: 5));
    }

    [Fact]
    public void A_checkpoint_of_all_epochs_leaves_nothing_to_train()
    {
        using var folder = new TemporaryFolder();
        using (var first = new SmallRun(folder.Path))
        {
            first.Train(HybridFheMode.Torch, epochs: 2);
        }

        using var second = new SmallRun(folder.Path);
        second.Train(HybridFheMode.Torch, epochs: 2);
        Assert.Equal(14, second.Losses.Count);
        Assert.Contains(second.Logger.Lines, line => line.StartsWith("Nothing to train: 2 of 2", StringComparison.Ordinal));
    }

    [Fact]
    public void Compile_returns_epoch_and_step_and_takes_up_the_learning_rate()
    {
        using var folder = new TemporaryFolder();
        double rate;
        using (var first = new SmallRun(folder.Path))
        {
            first.Train(HybridFheMode.Disable, epochs: 2);
            rate = first.Optimizer.ParamGroups.First().LearningRate;
        }

        using var second = new SmallRun(folder.Path);
        Assert.Equal((2, 14), second.Trainer.Compile(second.Inputset, cancellationToken: Cancellation.Token));
        Assert.Equal(rate, second.Optimizer.ParamGroups.First().LearningRate);
        Assert.Equal(14, second.Losses.Count);
    }

    [Fact]
    public void Running_statistics_are_taken_up_too()
    {
        static (float[] Mean, double[] Losses) Train(string? folder, int epochs)
        {
            manual_seed(8);
            using var model = LoraModel.Apply(new NormalizedMlp(), new LoraConfig { R = 2, TargetModules = ["fc1", "fc2"] }, seed: 1);
            using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
            using var trainer = new LoraTrainer(
                model, optimizer, (logits, labels) => nn.functional.mse_loss(logits, labels), checkpointDir: folder, logger: new RecordingLogger());
            Batch batch = (randn(6, 4), randn(6, 2));
            if (folder is not null && CheckpointFolder.Newest(folder) is { } newest)
            {
                trainer.LoadCheckpoint(newest);
            }

            trainer.Train([batch, batch], epochs, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
            var mean = model.named_buffers().Single(entry => entry.name.EndsWith("running_mean", StringComparison.Ordinal)).buffer;
            return (mean.data<float>().ToArray(), [.. trainer.GetTrainingLosses()]);
        }

        using var folder = new TemporaryFolder();
        var whole = Train(null, 2);
        Train(folder.Path, 1);
        var resumed = Train(folder.Path, 2);
        Assert.Equal(whole.Losses, resumed.Losses);
        Assert.Equal(whole.Mean, resumed.Mean);
    }

    private static (IReadOnlyList<double> Losses, float[] Weights, IReadOnlyDictionary<string, IReadOnlyList<double>> Stats) Uninterrupted(
        HybridFheMode mode, bool adamW)
    {
        using var run = new SmallRun(adamW: adamW);
        run.Train(mode, Epochs);
        Assert.Equal(21, run.Losses.Count);
        return ([.. run.Losses], run.Weights(), run.Trainer.GetGradientStats());
    }

    private static void AssertSame(
        IReadOnlyList<double> losses, float[] weights, IReadOnlyDictionary<string, IReadOnlyList<double>> stats, SmallRun run)
    {
        Assert.Equal(losses, run.Losses);
        Assert.Equal(weights, run.Weights());
        Assert.Equal(stats.Keys.Order(), run.Trainer.GetGradientStats().Keys.Order());
        Assert.All(stats, entry => Assert.Equal(entry.Value, run.Trainer.GetGradientStats()[entry.Key]));
    }

    /// <summary>Draws the epoch's order from torch's own generator, as a loader of the user's may.</summary>
    private sealed class GeneratorShuffledLoader(ShuffledLoader rows) : IEnumerable<Batch>
    {
        public IEnumerator<Batch> GetEnumerator()
        {
            rows.SetEpoch((int)randint(1, 1000, [1]).item<long>());
            return rows.GetEnumerator();
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
