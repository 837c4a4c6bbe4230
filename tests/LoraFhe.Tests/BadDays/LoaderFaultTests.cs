using System.Collections;
using LoraFhe.Tests.Training;
using static TorchSharp.torch;

namespace LoraFhe.Tests.BadDays;

/// <summary>Training data that ends, fails or changes under the trainer.</summary>
public sealed class LoaderFaultTests
{
    [Fact]
    public void An_empty_loader_and_one_that_can_be_read_only_once_are_named()
    {
        using var run = new SmallRun();
        var empty = Assert.Throws<ArgumentException>(() => Train(run, new Watched(_ => [])));
        Assert.StartsWith("'trainLoader' has no batches", empty.Message, StringComparison.Ordinal);

        var once = new Watched(reading => reading == 0 ? [run.Inputset, run.Inputset] : []);
        var second = Assert.Throws<ArgumentException>(() => Train(run, once, epochs: 2));
        Assert.Contains("read only once is empty the second time", second.Message, StringComparison.Ordinal);
        Assert.Equal((2, 2), (once.Opened, once.Closed));
        Assert.Equal(2, run.Losses.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void A_loader_that_throws_is_closed_and_its_exception_reaches_the_caller_and_training_goes_on(int failAt)
    {
        using var run = new SmallRun(dropout: 0);
        var batches = run.Loader.ToList();
        IEnumerable<Batch> Failing(int reading)
        {
            for (var i = 0; i < batches.Count; i++)
            {
                yield return reading == 0 && i == failAt ? throw new TimeoutException("mine") : batches[i];
            }
        }

        var loader = new Watched(Failing);
        Assert.Equal("mine", Assert.Throws<TimeoutException>(() => Train(run, loader)).Message);
        Assert.Equal((1, 1), (loader.Opened, loader.Closed));
        Train(run, loader);
        Assert.Equal((2, 2), (loader.Opened, loader.Closed));
        AssertSameAs(batches, run);
    }

    [Fact]
    public void The_enumerator_is_closed_on_every_way_out()
    {
        using var run = new SmallRun();
        var loader = new Watched(_ => run.Loader);
        Train(run, loader, epochs: 2);
        Assert.Equal((2, 2), (loader.Opened, loader.Closed));

        Assert.Throws<TimeoutException>(() => run.Trainer.Train(
            loader, 1, HybridFheMode.Torch, progress: new ImmediateProgress<TrainingProgress>(_ => throw new TimeoutException()), cancellationToken: Cancellation.Token));
        Assert.Equal((3, 3), (loader.Opened, loader.Closed));

        using var source = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => run.Trainer.Train(
            loader, 1, HybridFheMode.Torch, progress: new ImmediateProgress<TrainingProgress>(_ => source.Cancel()), cancellationToken: source.Token));
        Assert.Equal((4, 4), (loader.Opened, loader.Closed));
    }

    [Fact]
    public void Null_in_place_of_a_batch_is_named_in_every_form_of_data()
    {
        using var run = new SmallRun();
        using var batch = run.Inputset;
        AssertNull(() => Train(run, new Watched(_ => [batch, null!])));
        AssertNull(() => run.Trainer.Train(new Dictionary<string, Tensor>[] { null! }, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
        AssertNull(() => run.Trainer.Train(new IList<Tensor>[] { null! }, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
        Assert.Throws<ArgumentNullException>("x", () => run.Trainer.Train(
            new (Tensor, Tensor)[] { (null!, batch.Labels!) }, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
        Assert.Empty(run.Losses);

        static void AssertNull(Action train) =>
            Assert.StartsWith("'trainLoader' yields null", Assert.Throws<ArgumentException>(train).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_that_are_one_name_and_tensors_that_are_null_are_named()
    {
        using var run = new SmallRun();
        using var x = ones(4, 6);
        var twice = new Dictionary<string, Tensor> { ["input_ids"] = x, ["InputIds"] = x };
        Assert.Contains(
            "more than one tensor named 'InputIds'",
            Assert.Throws<ArgumentException>(() => run.Trainer.Train([twice], 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token)).Message,
            StringComparison.Ordinal);
        var none = new Dictionary<string, Tensor> { ["x"] = x, ["labels"] = null! };
        Assert.Contains(
            "'labels' is null",
            Assert.Throws<ArgumentException>(() => run.Trainer.Train([none], 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_loader_may_have_another_length_in_each_epoch()
    {
        using var run = new SmallRun(dropout: 0);
        var batches = run.Loader.ToList();
        Train(run, new Watched(reading => batches.Take(5 - (2 * reading))), epochs: 3);
        Assert.Equal(5 + 3 + 1, run.Losses.Count);
    }

    [Fact]
    public void A_loader_that_writes_each_batch_into_the_same_tensors_is_trained_on_as_it_was_when_it_was_yielded()
    {
        using var run = new SmallRun(dropout: 0);
        var batches = run.Loader.Take(6).ToList();
        using Batch reused = (zeros(4, 6), zeros(4, dtype: ScalarType.Int64));
        Train(run, new Watched(_ => batches.Select(batch =>
        {
            reused.Input!.copy_(batch.Input!);
            reused.Labels!.copy_(batch.Labels!);
            return reused;
        })));
        AssertSameAs(batches, run);
    }

    [Fact]
    public void A_loader_that_disposes_of_its_tensors_at_the_next_step_is_trained_on()
    {
        using var run = new SmallRun(dropout: 0);
        IEnumerable<Batch> Disposing()
        {
            foreach (var batch in run.Loader)
            {
                using (batch)
                {
                    yield return batch;
                }
            }
        }

        Train(run, new Watched(_ => Disposing()));
        AssertSameAs([.. run.Loader], run);
    }

    [Fact]
    public void Batches_that_a_failed_step_leaves_are_disposed_of()
    {
        var calls = 0;
        using var run = new SmallRun(lossFn: (logits, labels) => ++calls == 3 ? throw new TimeoutException() : nn.functional.cross_entropy(logits, labels));
        Assert.Throws<TimeoutException>(() => run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
        Assert.Equal((4, 0), (run.Loader.Made, run.Loader.Alive));
    }

    private static void Train(SmallRun run, IEnumerable<Batch> loader, int epochs = 1) =>
        run.Trainer.Train(loader, epochs, HybridFheMode.Torch, cancellationToken: Cancellation.Token);

    private static void AssertSameAs(List<Batch> batches, SmallRun run)
    {
        using var whole = new SmallRun(dropout: 0);
        whole.Trainer.Train(batches, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
        Assert.Equal(whole.Losses, run.Losses);
        Assert.Equal(whole.Weights(), run.Weights());
        batches.ForEach(batch => batch.Dispose());
    }

    /// <summary>Counts how often it is read and how often the reader is done with it.</summary>
    private sealed class Watched(Func<int, IEnumerable<Batch>> batches) : IEnumerable<Batch>
    {
        public int Opened { get; private set; }

        public int Closed { get; private set; }

        public IEnumerator<Batch> GetEnumerator()
        {
            try
            {
                foreach (var batch in batches(Opened++))
                {
                    yield return batch;
                }
            }
            finally
            {
                Closed++;
            }
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
