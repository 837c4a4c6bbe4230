using LoraFhe.Cryptography;
using LoraFhe.Fixtures;
using LoraFhe.Tests.Hybrid;
using LoraFhe.Tests.Training;
using static TorchSharp.torch;
using static TorchSharp.torch.optim.lr_scheduler;

namespace LoraFhe.Tests.BadDays;

/// <summary>
/// An exception at any place of a user's code, or a stop at any step, reaches the caller as it is; calling Train again ends in the very run
/// that nothing interrupted, dropout and simulated errors included.
/// </summary>
public sealed class ThrownExceptionTests
{
    private const int Epochs = 2;

    public static TheoryData<string, int> Places
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var place in new[] { "loss", "progress", "metric", "logger", "multiply forward", "multiply backward" })
            {
                // In the first window, at an update, after the first epoch, in the last window.
                foreach (var call in new[] { 1, 2, 3, 8, 11, 14 })
                {
                    data.Add(place, call);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Places))]
    public void Train_called_again_ends_in_the_run_that_nothing_interrupted(string place, int call)
    {
        var mode = place.StartsWith("multiply", StringComparison.Ordinal) ? HybridFheMode.Execute : HybridFheMode.Simulate;
        var (losses, weights, stats) = Whole(mode);
        using var run = Failing(place, call, out var progress, out var arm);
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        arm();

        Assert.Equal("mine", Assert.Throws<TimeoutException>(() => run.Trainer.Train(
            run.Loader, Epochs, mode, progress: progress, cancellationToken: Cancellation.Token)).Message);
        run.Trainer.Train(run.Loader, Epochs, mode, progress: progress, cancellationToken: Cancellation.Token);

        Assert.Equal(losses, run.Losses);
        Assert.Equal(weights, run.Weights());
        Assert.Equal(stats, Stats(run));
        Assert.Contains(run.Logger.Lines, line => line.StartsWith("Training ended early (TimeoutException). Called again, it goes on after step", StringComparison.Ordinal));
    }

    [Fact]
    public void A_schedule_that_throws_after_an_update_does_not_have_the_update_made_twice()
    {
        static IReadOnlyList<double> Losses(int failAt)
        {
            manual_seed(3);
            using var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 1, TargetModules = ["fc2"] });
            using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
            var steps = 0;
            var schedule = LambdaLR(optimizer, _ => ++steps == failAt ? throw new TimeoutException("mine") : 1.0);
            using var trainer = new LoraTrainer(
                model, optimizer, (logits, labels) => nn.functional.mse_loss(logits, labels), schedule, logger: new RecordingLogger());
            using Batch batch = (ones(4, 6), ones(4, 3));
            void Train() => trainer.Train([batch, batch, batch, batch, batch], 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
            if (failAt > 0)
            {
                Assert.Throws<TimeoutException>(Train);
            }

            Train();
            return [.. trainer.TrainingLosses];
        }

        Assert.Equal(5, Losses(0).Count);
        Assert.Equal(Losses(0), Losses(4));
    }

    [Fact]
    public void Stopped_at_every_step_in_turn_a_run_is_the_run_that_was_never_stopped()
    {
        var (losses, weights, stats) = Whole(HybridFheMode.Simulate);
        using var run = new SmallRun(evalMetricFn: (_, _) => new Dictionary<string, double>(), evalSteps: 3);
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        var stops = 0;
        while (true)
        {
            using var source = new CancellationTokenSource();
            var stop = new ImmediateProgress<TrainingProgress>(_ =>
            {
                source.Cancel();
                source.Cancel();
            });
            if (Record.Exception(() => run.Trainer.Train(run.Loader, Epochs, HybridFheMode.Simulate, progress: stop, cancellationToken: source.Token)) is not { } stopped)
            {
                break;
            }

            Assert.Equal(source.Token, Assert.IsType<OperationCanceledException>(stopped).CancellationToken);
            stops++;
        }

        // Eight updates; the last ends the run.
        Assert.Equal(7, stops);
        Assert.Equal(losses, run.Losses);
        Assert.Equal(weights, run.Weights());
        Assert.Equal(stats, Stats(run));
    }

    [Fact]
    public void A_checkpoint_saved_after_an_exception_or_a_load_resumes_the_run_that_nothing_interrupted()
    {
        using var whole = new SmallRun();
        whole.Train(HybridFheMode.Torch, Epochs);
        using var folder = new TemporaryFolder();
        var calls = 0;
        using (var failing = new SmallRun(folder.Path, lossFn: (logits, labels) => ++calls == 4
            ? throw new TimeoutException("mine")
            : nn.functional.cross_entropy(logits, labels)))
        {
            Assert.Throws<TimeoutException>(() => failing.Train(HybridFheMode.Torch, Epochs));

            // The update before was after batch 2; batches 3 and 4 have drawn their dropout since.
            failing.Trainer.SaveCheckpoint(0, 2);
        }

        var path = folder.At("checkpoint_epoch_0_step_2.safetensors");
        var saved = File.ReadAllBytes(path);
        using var resumed = new SmallRun(folder.Path, seed: 5);
        resumed.Trainer.LoadCheckpoint(path);
        resumed.Trainer.SaveCheckpoint(0, 2);
        Assert.Equal(saved, File.ReadAllBytes(path));

        resumed.Train(HybridFheMode.Torch, Epochs);
        Assert.Equal(whole.Losses, resumed.Losses);
        Assert.Equal(whole.Weights(), resumed.Weights());
    }

    [Fact]
    public void A_token_that_was_canceled_before_changes_nothing()
    {
        using var folder = new TemporaryFolder();
        using var run = new SmallRun(folder.Path);
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => run.Trainer.Compile(run.Inputset, cancellationToken: source.Token));
        Assert.False(run.Trainer.HybridModel.IsCompiled);
        Assert.Throws<OperationCanceledException>(() => run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, cancellationToken: source.Token));
        Assert.Empty(folder.Names());
        Assert.Equal(0, run.Loader.Made);
    }

    [Fact]
    public void Compilation_that_is_stopped_or_fails_at_any_layer_leaves_what_was_compiled_before()
    {
        using var run = new SmallRun(backend: new ClearBackend());
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        var layers = run.Trainer.HybridModel.Layers;
        for (var at = 1; at <= 5; at++)
        {
            var (reports, isStop) = (0, at % 2 == 0);
            using var source = new CancellationTokenSource();
            var progress = new ImmediateProgress<FheProgress>(_ =>
            {
                if (++reports == at)
                {
                    source.Cancel();
                    if (!isStop)
                    {
                        throw new TimeoutException();
                    }
                }
            });
            var error = Record.Exception(() => run.Trainer.Compile(run.Inputset, nBits: 9, progress: progress, cancellationToken: source.Token));
            Assert.IsType(isStop ? typeof(OperationCanceledException) : typeof(TimeoutException), error);
            Assert.Same(layers, run.Trainer.HybridModel.Layers);
            Assert.True(run.Trainer.HybridModel.IsCompiled);
        }

        run.Trainer.Train(run.Loader, 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token);
        Assert.Equal(7, run.Losses.Count);
    }

    private static (double[] Losses, float[] Weights, Dictionary<string, double[]> Stats) Whole(HybridFheMode mode)
    {
        using var run = new SmallRun(backend: new ClearBackend());
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        run.Trainer.Train(run.Loader, Epochs, mode, cancellationToken: Cancellation.Token);
        return ([.. run.Losses], run.Weights(), Stats(run));
    }

    private static Dictionary<string, double[]> Stats(SmallRun run) =>
        run.Trainer.GradientStats.ToDictionary(entry => entry.Key, entry => entry.Value.ToArray());

    // The user's code at one place throws when it is called for that time after it was armed.
    private static SmallRun Failing(string place, int call, out ImmediateProgress<TrainingProgress> progress, out Action arm)
    {
        var calls = int.MinValue;
        Exception? Reach(string here, bool counts = true) => here == place && counts && ++calls == call ? new TimeoutException("mine") : null;
        void Throw(Exception? exception) => _ = exception is null ? 0 : throw exception;
        var backend = new ClearBackend
        {
            Fault = layer => layer.Direction == LayerDirection.Forward
                ? Reach("multiply forward", layer.Name == "fc3")
                : Reach("multiply backward", layer.Name == "fc2"),
        };
        var run = new SmallRun(
            backend: backend,
            lossFn: (logits, labels) =>
            {
                Throw(Reach("loss"));
                return nn.functional.cross_entropy(logits, labels);
            },
            evalMetricFn: (_, _) =>
            {
                Throw(Reach("metric"));
                return new Dictionary<string, double>();
            },
            evalSteps: 1);
        run.Logger.Watch = line => Throw(Reach("logger", line.StartsWith("Step ", StringComparison.Ordinal)));
        progress = new ImmediateProgress<TrainingProgress>(_ => Throw(Reach("progress")));
        arm = () => calls = 0;
        return run;
    }
}
