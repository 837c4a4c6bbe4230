using LoraFhe.Fixtures;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>Runs over frozen weights of 8 bits, in PyTorch as plain floats: what disable mode computes with its integers.</summary>
public sealed class Int8Tests
{
    [Theory]
    [Recorded("trajectories", "int8")]
    public void Every_recorded_run_is_repeated_in_disable_mode(string name)
    {
        using var recorded = new RecordedTrajectory(name);
        using var run = Compiled(recorded);

        TrajectoryComparison.AssertStart(recorded, run);
        AssertIntegers(recorded, run);
        AssertLogits(recorded, run);
        run.Train(HybridFheMode.Disable);

        TrajectoryComparison.Assert(recorded, run);
    }

    private static TrajectoryRun Compiled(RecordedTrajectory recorded)
    {
        Assert.False(recorded.Expected["int8"]["embeddings_quantised"].AsBoolean);
        var run = new TrajectoryRun(recorded, new RunOptions { IncludeLmHead = recorded.Expected["int8"]["lm_head_quantised"].AsBoolean });
        run.Trainer.Compile(run.Batches[0], cancellationToken: TestContext.Current.CancellationToken);
        return run;
    }

    private static void AssertIntegers(RecordedTrajectory recorded, TrajectoryRun run)
    {
        var layers = run.Trainer.HybridModel.Layers.SelectMany(layer => layer.Members).ToDictionary(layer => layer.Name, StringComparer.Ordinal);
        var modules = recorded.Expected["int8"]["modules"].AsStrings;
        Assert.Equal(modules.Order(StringComparer.Ordinal), layers.Keys.Order(StringComparer.Ordinal));
        foreach (var module in modules)
        {
            var codes = recorded.Int64s("int8", module + ".qweight");
            var layer = layers[module];
            var expected = recorded.HasColumnScales ? Transposed(codes) : codes.Values;
            Assert.Equal(expected, Array.ConvertAll(layer.Codes.ToArray(), code => (long)code));
            Assert.Equal(recorded.Singles("int8", module + ".scale").Values, layer.Scales.ToArray());
        }
    }

    private static void AssertLogits(RecordedTrajectory recorded, TrajectoryRun run)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        run.Model.eval();
        Compare("micro0.logits_adapter_step0");
        using (run.Model.DisableAdapter())
        {
            Compare("micro0.logits_base_int8");
        }

        // The fixtures' own word for logits in single precision; what padding predicts is no number of theirs.
        void Compare(string stored)
        {
            const double tolerance = 1e-4;
            var expected = recorded.Singles("logits", stored);
            var logits = run.Trainer.HybridModel.Run(HybridFheMode.Disable, () => new ModelInvoker(run.Model).Invoke(run.Batches[0])).Logits!;
            Close.Where(
                run.Batches[0].AttentionMask ?? ones(logits.shape[0], 1), tolerance, tensor(expected.Values, expected.Shape), logits, $"{recorded.Name} {stored}");
        }
    }

    private static long[] Transposed(GoldenTensor<long> codes)
    {
        var (rows, columns) = ((int)codes.Shape[0], (int)codes.Shape[1]);
        return [.. Enumerable.Range(0, rows * columns).Select(i => codes.Values[(i % rows * columns) + (i / rows)])];
    }
}
