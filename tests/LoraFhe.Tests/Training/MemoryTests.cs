using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

/// <summary>A long run keeps nothing of the steps it has done but their losses, eight bytes each, and the gradient norms of those that are
/// logged. The <c>memory</c> command of LoraFhe.Benchmarks does the same over 10,000 steps.</summary>
public sealed class MemoryTests
{
    private const int WarmUp = 200;
    private const int Windows = 4;
    private const int WindowSteps = 200;
    private const int Steps = WarmUp + (Windows * WindowSteps);

    // What stays of each step shows in every window; code that is compiled late, a list that doubles or a thread that starts, in one or two.
    // So the window that grew least counts. 20 KiB a step that stayed would be above this.
    private const long AllowedGrowth = 4 << 20;

    // One tensor's wrapper a step that stayed would be above this.
    private const long AllowedManagedGrowth = 8 << 10;

    // Execute takes about 60 KiB.
    private const long AllowedAllocation = 128 << 10;

    [Theory]
    [InlineData(HybridFheMode.Torch, false)]
    [InlineData(HybridFheMode.Disable, false)]
    [InlineData(HybridFheMode.Simulate, false)]
    [InlineData(HybridFheMode.Execute, false)]
    [InlineData(HybridFheMode.Torch, true)]
    [InlineData(HybridFheMode.Execute, true)]
    public void A_thousand_steps_leave_native_and_managed_memory_flat(HybridFheMode mode, bool isServedByHooks)
    {
        using var run = new SmallRun(loggingSteps: 2 * Steps, network: isServedByHooks ? new TypedMlp() : null);
        var (footprints, steps) = (new List<Footprint>(), 0);
        var watch = new ImmediateProgress<TrainingProgress>(done =>
        {
            steps = done.GlobalStep;
            if (steps >= WarmUp && steps <= Steps && (steps - WarmUp) % WindowSteps == 0)
            {
                footprints.Add(Footprint.Measure());
            }
        });

        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);

        // Two more than are measured: at both measurements the next batch has been read ahead.
        run.Trainer.Train(Enumerable.Repeat(run.Inputset, Steps + 2), 1, mode, progress: watch, cancellationToken: Cancellation.Token);
        Assert.Equal(Steps + 2, steps);
        Assert.Equal(Windows + 1, footprints.Count);
        Assert.InRange(LeastGrowth(footprint => footprint.Tensors), long.MinValue, 0);
        Assert.InRange(LeastGrowth(footprint => footprint.Native), long.MinValue, AllowedGrowth);
        Assert.InRange(LeastGrowth(footprint => footprint.Managed), long.MinValue, AllowedManagedGrowth);
        Assert.InRange(LeastGrowth(footprint => footprint.Allocated) / WindowSteps, 1, AllowedAllocation);

        long LeastGrowth(Func<Footprint, long> of) => footprints.Zip(footprints.Skip(1), (before, after) => of(after) - of(before)).Min();
    }

    /// <summary>Live tensors, the process's memory outside the managed heap, the heap after a full collection, and what this thread ever allocated.</summary>
    private readonly record struct Footprint(long Tensors, long Native, long Managed, long Allocated)
    {
        public static Footprint Measure()
        {
            // Tables with weak keys, as hooks keep, are finalized twice before they are freed.
            for (var i = 0; i < 4; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            var native = Environment.WorkingSet - GC.GetGCMemoryInfo().TotalCommittedBytes;
            return new Footprint(Tensor.TotalCount, native, GC.GetTotalMemory(forceFullCollection: false), GC.GetAllocatedBytesForCurrentThread());
        }
    }
}
