using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace LoraFhe.Models.Tests;

/// <summary>What a step of a language model leaves to the collector, on the thread that trains: mostly the wrappers of TorchSharp's tensors, functions and
/// optimizer. The <c>memory</c> command of LoraFhe.Benchmarks measures wider models.</summary>
[Collection(RunsAlone.Name)]
public sealed class StepAllocationTests
{
    private const int Warm = 10;
    private const int Steps = 30;

    // Two layers: 90 KiB in torch, 157 in execute.
    [Theory]
    [InlineData(HybridFheMode.Torch, 120)]
    [InlineData(HybridFheMode.Execute, 200)]
    public void A_step_allocates_little_and_always_the_same(HybridFheMode mode, long kibibytes)
    {
        using var small = new SmallModel("llama");
        using var optimizer = optim.AdamW(small.Model.TrainableParameters(), 1e-3);
        using var trainer = new LoraTrainer(small.Model, optimizer, loggingSteps: 2 * Steps, logger: NullLogger.Instance);
        using var batch = small.Inputset;
        var readings = new List<long>(Steps);
        trainer.Compile(batch, cancellationToken: TestContext.Current.CancellationToken);
        trainer.Train(Enumerable.Repeat(batch, Steps), 1, mode, progress: new Readings(readings), cancellationToken: TestContext.Current.CancellationToken);

        long[] steps = [.. readings.Skip(Warm).Zip(readings.Skip(Warm + 1), (before, after) => after - before).Order()];

        // The median: a list that doubles, or code that is compiled late, falls in few steps.
        Assert.InRange(steps[steps.Length / 2], 1, kibibytes << 10);
    }

    private sealed class Readings(List<long> readings) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => readings.Add(GC.GetAllocatedBytesForCurrentThread());
    }
}
