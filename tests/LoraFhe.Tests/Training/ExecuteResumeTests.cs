using LoraFhe.Cryptography.Client;
using LoraFhe.Fixtures;

namespace LoraFhe.Tests.Training;

/// <summary>Stopping and resuming where the frozen layers are really encrypted.</summary>
public sealed class ExecuteResumeTests
{
    private const int Epochs = 2;

    [Theory]
    [InlineData(7)]
    [InlineData(9)]
    public void With_repeatable_randomness_a_resumed_run_equals_one_that_was_not_stopped_bit_for_bit(int stopAfter)
    {
        using var hints = new TemporaryFolder();
        using var folder = new TemporaryFolder();
        using var whole = Repeatable(hints, null);
        whole.Train(HybridFheMode.Execute, Epochs);
        using (var first = Repeatable(hints, folder.Path))
        {
            first.TrainUntil(stopAfter, HybridFheMode.Execute, Epochs);
        }

        using var second = Repeatable(hints, folder.Path, seed: 50);
        second.Train(HybridFheMode.Execute, Epochs);
        Assert.Equal(whole.Losses, second.Losses);
        Assert.Equal(whole.Weights(), second.Weights());
    }

    [Fact]
    public void With_fresh_keys_a_resumed_run_stays_within_the_noise_of_one_that_was_not_stopped()
    {
        using var folder = new TemporaryFolder();
        using var whole = new SmallRun(adamW: false);
        whole.Train(HybridFheMode.Execute, Epochs);
        using (var first = new SmallRun(folder.Path, adamW: false))
        {
            first.TrainUntil(9, HybridFheMode.Execute, Epochs);
        }

        using var second = new SmallRun(folder.Path, seed: 51, adamW: false);
        second.Train(HybridFheMode.Execute, Epochs);
        Assert.NotEqual(whole.Losses, second.Losses);
        Assert.Equal(whole.Losses.Count, second.Losses.Count);

        // An output's relative noise is about 1e-4 (docs/scheme.md); a tenfold margin for what 14 steps make of it.
        Assert.All(whole.Losses.Zip(second.Losses), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
    }

    [Fact]
    public void Execute_trains_within_the_noise_of_disable()
    {
        using var clear = new SmallRun(adamW: false);
        clear.Train(HybridFheMode.Disable, Epochs);
        using var encrypted = new SmallRun(adamW: false);
        encrypted.Train(HybridFheMode.Execute, Epochs);
        Assert.All(clear.Losses.Zip(encrypted.Losses), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
        Assert.True(encrypted.Trainer.HybridModel.Backend.Traffic.Calls > 0);
    }

    // The hint folder keeps the public matrix's seed, on which the errors depend too.
    private static SmallRun Repeatable(TemporaryFolder hints, string? checkpoints, int seed = 1) => new(
        checkpoints, seed, backend: new InProcessFheBackend(new InProcessFheOptions { HintFolder = hints.Path }, new InsecureTestRandomness(4)));
}
