using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>What may be trained on.</summary>
public sealed class TrainLoaderTests
{
    [Fact]
    public void Tuples_lists_dictionaries_and_batches_give_the_same_losses()
    {
        static (Tensor, Tensor)[] Pairs(SmallRun run) => [.. run.Loader.Select(batch => (batch.Input!, batch.Labels!))];
        static IReadOnlyList<double> Losses(Action<SmallRun> train)
        {
            using var run = new SmallRun(dropout: 0);
            train(run);
            return [.. run.Losses];
        }

        var expected = Losses(run => run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
        Assert.Equal(7, expected.Count);
        Assert.Equal(expected, Losses(run => run.Trainer.Train(Pairs(run), 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token)));
        Assert.Equal(expected, Losses(run => run.Trainer.Train(
            Pairs(run).Select(pair => (IList<Tensor>)[pair.Item1, pair.Item2]), 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token)));
        Assert.Equal(expected, Losses(run => run.Trainer.Train(
            Pairs(run).Select(pair => new Dictionary<string, Tensor> { ["x"] = pair.Item1, ["labels"] = pair.Item2 }), 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token)));
    }

    [Fact]
    public void TorchSharps_own_data_loaders_work()
    {
        using var run = new SmallRun(dropout: 0);
        using var dataset = utils.data.TensorDataset(randn(10, 6), randint(0, 3, [10]));
        using var loader = utils.data.DataLoader(dataset, 4, shuffle: true, seed: 1);
        TrainingProgress last = default;
        run.Trainer.Train(loader, 2, HybridFheMode.Torch, progress: new ImmediateProgress<TrainingProgress>(done => last = done), cancellationToken: Cancellation.Token);
        Assert.Equal(6, run.Losses.Count);
        Assert.Equal(new TrainingProgress(2, 2, 6, 3, 3, run.Losses[^1], run.Losses.Skip(3).Average(), last.Update), last);
        Assert.Equal(run.Losses[^1], last.Update!.Value.Loss);

        using var named = utils.data.DataLoader(new Named(), 4);
        run.Trainer.Train(named, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
        Assert.Equal(8, run.Losses.Count);
    }

    [Fact]
    public void A_list_of_batches_is_left_usable()
    {
        using var run = new SmallRun();
        var batch = run.Inputset;
        run.Trainer.Train([batch], 3, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
        Assert.Equal(4, batch.Input!.shape[0]);
        Assert.Equal(["x", "labels"], batch.Keys);
        batch.Dispose();
    }

    [Fact]
    public void A_loader_without_a_length_works()
    {
        static IEnumerable<Batch> Endless(SmallRun run)
        {
            foreach (var batch in run.Loader)
            {
                yield return batch;
            }
        }

        using var run = new SmallRun();
        int? length = 0;
        run.Trainer.Train(Endless(run), 1, HybridFheMode.Torch, progress: new ImmediateProgress<TrainingProgress>(done => length = done.EpochSteps), cancellationToken: Cancellation.Token);
        Assert.Equal(7, run.Losses.Count);
        Assert.Null(length);
    }

    [Fact]
    public void An_epoch_loaders_batches_are_made_once_each_epoch_and_disposed_of()
    {
        using var run = new SmallRun();
        run.Trainer.Train(run.Loader, 3, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
        Assert.Equal(21, run.Loader.Made);
        Assert.Equal(0, run.Loader.Alive);
    }

    private sealed class Named : utils.data.Dataset
    {
        public override long Count => 8;

        public override Dictionary<string, Tensor> GetTensor(long index) => new() { ["data"] = randn(6), ["label"] = tensor(index % 3) };
    }
}
