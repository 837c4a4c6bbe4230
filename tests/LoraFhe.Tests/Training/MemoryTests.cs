using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>A long run keeps nothing of the steps it has done.</summary>
public sealed class MemoryTests
{
    private const int Steps = 1000;
    private const int WarmUp = 200;

    // Compiled code that is optimized late, and what allocators keep, came to 5 MiB in 6,000 steps; 20 KiB a step that stayed would be above this.
    private const long AllowedGrowth = 16 << 20;

    [Theory]
    [InlineData(HybridFheMode.Torch)]
    [InlineData(HybridFheMode.Disable)]
    [InlineData(HybridFheMode.Simulate)]
    [InlineData(HybridFheMode.Execute)]
    public void A_thousand_steps_leave_native_memory_flat(HybridFheMode mode)
    {
        using var run = new SmallRun();
        var (tensors, memory, steps) = (0L, 0L, 0);
        var watch = new ImmediateProgress<TrainingProgress>(done =>
        {
            steps = done.GlobalStep;
            if (steps == WarmUp)
            {
                (tensors, memory) = Measure();
            }
            else if (steps == Steps)
            {
                var (tensorsNow, memoryNow) = Measure();
                Assert.InRange(tensorsNow, 0, tensors);
                Assert.InRange(memoryNow - memory, long.MinValue, AllowedGrowth);
            }
        });

        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);

        // Two more than are measured: at both measurements the next batch has been read ahead.
        run.Trainer.Train(Enumerable.Repeat(run.Inputset, Steps + 2), 1, mode, progress: watch, cancellationToken: Cancellation.Token);
        Assert.Equal(Steps + 2, steps);
    }

    /// <summary>Live tensors, and the process's memory outside the managed heap.</summary>
    private static (long Tensors, long Memory) Measure()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return (Tensor.TotalCount, Environment.WorkingSet - GC.GetGCMemoryInfo().TotalCommittedBytes);
    }
}
