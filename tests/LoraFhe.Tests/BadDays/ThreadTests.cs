using LoraFhe.Fixtures;
using LoraFhe.Tests.Training;

namespace LoraFhe.Tests.BadDays;

/// <summary>A trainer that is called from two places at once: the second is refused by name, the first goes on untouched.</summary>
public sealed class ThreadTests
{
    [Fact]
    public void A_second_thread_is_refused_whatever_it_calls_and_the_first_goes_on()
    {
        using var folder = new TemporaryFolder();
        using var run = new SmallRun(folder.Path);
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        var path = run.Trainer.SaveCheckpoint(0, 0);
        var errors = new List<Exception?>();
        run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, progress: new ImmediateProgress<TrainingProgress>(done =>
        {
            if (done.GlobalStep == 2)
            {
                var other = new Thread(() => errors.AddRange([.. Calls(run, folder, path).Select(call => Record.Exception(call))]));
                other.Start();
                other.Join();
            }
        }), cancellationToken: Cancellation.Token);
        AssertRefused(errors, run);
    }

    [Fact]
    public void The_same_calls_within_a_callback_are_refused_too_except_saving()
    {
        using var folder = new TemporaryFolder();
        using var run = new SmallRun(folder.Path);
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        var path = run.Trainer.SaveCheckpoint(0, 0);
        var errors = new List<Exception?>();
        run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, progress: new ImmediateProgress<TrainingProgress>(done =>
        {
            if (done.GlobalStep == 2)
            {
                errors.AddRange([.. Calls(run, folder, path).SkipLast(1).Select(call => Record.Exception(call))]);
                run.Trainer.SaveCheckpoint(0, 2);
            }
        }), cancellationToken: Cancellation.Token);
        AssertRefused(errors, run);
        Assert.Contains("checkpoint_epoch_0_step_2.safetensors", folder.Names());
    }

    [Theory]
    [InlineData(HybridFheMode.Torch, false)]
    [InlineData(HybridFheMode.Execute, false)]
    [InlineData(HybridFheMode.Execute, true)]
    public void Disposed_of_while_it_trains_it_ends_before_the_next_batch_and_frees_only_then(HybridFheMode mode, bool isOther)
    {
        using var run = new SmallRun();
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        var weights = run.Weights();
        var dispose = new ImmediateProgress<TrainingProgress>(done =>
        {
            if (done.GlobalStep == 4)
            {
                if (isOther)
                {
                    var other = new Thread(run.Trainer.Dispose);
                    other.Start();
                    other.Join();
                }
                else
                {
                    run.Trainer.Dispose();
                }

                Assert.True(run.Trainer.HybridModel.IsCompiled);
            }
        });
        Assert.Throws<ObjectDisposedException>(() => run.Trainer.Train(run.Loader, 1, mode, progress: dispose, cancellationToken: Cancellation.Token));
        Assert.Equal(4, run.Losses.Count);
        Assert.False(run.Trainer.HybridModel.IsCompiled);
        Assert.NotEqual(weights, run.Weights());
        Assert.Throws<ObjectDisposedException>(() => run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token));
        Assert.Throws<ObjectDisposedException>(() => run.Trainer.SaveAndClearPrivateInfo("nowhere"));
    }

    private static Action[] Calls(SmallRun run, TemporaryFolder folder, string checkpoint) =>
    [
        () => run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token),
        () => run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token),
        () => run.Trainer.LoadCheckpoint(checkpoint),
        () => run.Trainer.SaveAndClearPrivateInfo(folder.At("private")),
        () => run.Trainer.SaveCheckpoint(0, 2),
    ];

    private static void AssertRefused(List<Exception?> errors, SmallRun run)
    {
        Assert.InRange(errors.Count, 4, 5);
        Assert.All(errors, error => Assert.StartsWith("Train is running already", Assert.IsType<InvalidOperationException>(error).Message, StringComparison.Ordinal));
        using var whole = new SmallRun();
        whole.Train(HybridFheMode.Torch, 1);
        Assert.Equal(whole.Losses, run.Losses);
        Assert.Equal(whole.Weights(), run.Weights());
    }
}
