using LoraFhe.Fixtures;

namespace LoraFhe.Tests.Training;

/// <summary>As in Python, losses and statistics are handed out themselves, not as copies.</summary>
public sealed class LiveMembersTests
{
    [Fact]
    public void Losses_and_statistics_taken_before_training_show_what_training_adds()
    {
        using var run = new SmallRun();
        var (losses, stats) = (run.Trainer.GetTrainingLosses(), run.Trainer.GetGradientStats());
        Assert.Empty(losses);
        Assert.Empty(stats);

        run.Train(HybridFheMode.Torch, 1);

        Assert.Equal(7, losses.Count);
        Assert.Equal(6, stats.Count);
        var first = stats.Values.First();
        Assert.Equal(7, first.Count);

        run.Train(HybridFheMode.Torch, 1);

        Assert.Equal(14, losses.Count);
        Assert.Equal(14, first.Count);
        Assert.Same(losses, run.Trainer.TrainingLosses);
        Assert.Same(stats, run.Trainer.GradientStats);
    }

    [Fact]
    public void The_same_objects_show_what_a_checkpoint_brings()
    {
        using var folder = new TemporaryFolder();
        using (var first = new SmallRun(folder.Path))
        {
            first.Train(HybridFheMode.Torch, 1);
        }

        using var second = new SmallRun(folder.Path);
        var (losses, stats) = (second.Trainer.GetTrainingLosses(), second.Trainer.GetGradientStats());
        second.Trainer.LoadCheckpoint(folder.At("checkpoint_epoch_1.safetensors"));

        Assert.Equal(7, losses.Count);
        Assert.All(stats, entry => Assert.Equal(7, entry.Value.Count));
        Assert.Equal(stats.Keys.Order(), second.Trainer.LoraTrainingModule.named_parameters().Where(entry => entry.parameter.requires_grad).Select(entry => entry.name).Order());
    }

    [Fact]
    public void An_exception_between_the_norms_and_the_update_takes_the_norms_back()
    {
        var evaluations = 0;
        using var run = new SmallRun(evalSteps: 2, evalMetricFn: (_, _) => ++evaluations == 2
            ? throw new TimeoutException("mine")
            : new Dictionary<string, double>());
        Assert.Throws<TimeoutException>(() => run.Train(HybridFheMode.Torch, 1));

        Assert.Equal(2, run.Losses.Count);
        Assert.All(run.Trainer.GetGradientStats(), entry => Assert.Equal(2, entry.Value.Count));

        run.Train(HybridFheMode.Torch, 1);
        Assert.Equal(7, run.Losses.Count);
        Assert.All(run.Trainer.GetGradientStats(), entry => Assert.Equal(7, entry.Value.Count));
    }

    [Fact]
    public void Reading_a_parameter_that_has_no_norms_is_as_of_any_dictionary()
    {
        using var run = new SmallRun();
        run.Train(HybridFheMode.Torch, 1);
        var stats = run.Trainer.GetGradientStats();
        Assert.Throws<KeyNotFoundException>(() => stats["none"]);
        Assert.False(stats.TryGetValue("none", out var none));
        Assert.Null(none);
        Assert.True(stats.ContainsKey(stats.Keys.First()));
        Assert.Equal(stats.Keys, stats.Select(entry => entry.Key));
        Assert.True(stats.TryGetValue(stats.Keys.First(), out var norms));
        Assert.Same(stats[stats.Keys.First()], norms);
    }
}
