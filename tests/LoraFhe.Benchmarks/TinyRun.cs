using Microsoft.Extensions.Logging.Abstractions;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Benchmarks;

/// <summary>Very many steps of a very small network: what stays of a step shows.</summary>
internal static class TinyRun
{
    private const int Rows = 32;

    /// <summary>Trains, and samples after 10, 50 and 100 % of the steps.</summary>
    public static MemoryRow Measure(HybridFheMode mode, int steps)
    {
        random.manual_seed(1);
        using var x = randn(Rows, 2);
        using var labels = x.square().sum(1).lt(1.4).to(int64);
        using var model = LoraModel.Apply(new Mlp(), new LoraConfig { R = 2, LoraAlpha = 4, TargetModules = ["fc1", "fc2", "fc3"] });
        using var optimizer = optim.Adam(model.TrainableParameters(), 1e-3);
        using var trainer = new LoraTrainer(
            model, optimizer, (logits, classes) => nn.functional.cross_entropy(logits, classes), loggingSteps: steps, logger: NullLogger.Instance);
        var batch = new Batch(x, labels);
        if (mode != HybridFheMode.Torch)
        {
            trainer.Compile(batch);
        }

        var samples = new List<MemorySample>();
        var (stepBefore, allocatedBefore) = (0, GC.GetTotalAllocatedBytes(precise: true));
        var progress = new StepProgress(step =>
        {
            if (step != steps / 10 && step != steps / 2 && step != steps)
            {
                return;
            }

            var perStep = (GC.GetTotalAllocatedBytes(precise: true) - allocatedBefore) / (double)(step - stepBefore);
            samples.Add(Sample(step, perStep));
            (stepBefore, allocatedBefore) = (step, GC.GetTotalAllocatedBytes(precise: true));
        });

        // One more than is sampled: at every sample the next batch has been read ahead.
        trainer.Train(Enumerable.Repeat(batch, steps + 1), 1, mode, progress: progress);
        return new MemoryRow(mode.ToPythonName(), samples);
    }

    private static MemorySample Sample(int step, double allocatedPerStep)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        var (resident, peak, _) = ProcessMemory.Read();
        return new MemorySample(step, resident, peak, GC.GetTotalMemory(forceFullCollection: false), Tensor.TotalCount, allocatedPerStep);
    }

    private sealed class Mlp : nn.Module<Tensor, Tensor>
    {
        // Both ways to serve a layer: the adapter takes its place, or, in a field typed so, hooks call the adapter.
        private readonly nn.Module<Tensor, Tensor> fc1 = nn.Linear(2, 64), fc3 = nn.Linear(64, 2);
        private readonly Linear fc2 = nn.Linear(64, 64);

        public Mlp() : base(nameof(Mlp)) => RegisterComponents();

        public override Tensor forward(Tensor input) =>
            fc3.call(nn.functional.relu(fc2.call(nn.functional.relu(fc1.call(input)))));
    }
}
