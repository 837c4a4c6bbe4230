using static TorchSharp.torch;

namespace LoraFhe.Benchmarks;

/// <summary>What a process found that ran one mode only.</summary>
/// <param name="Mode">By Python's name.</param>
/// <param name="PeakBytes">The most it ever held.</param>
/// <param name="HintBytes">Of that, hints.</param>
/// <param name="AllocatedBytes">Managed memory allocated a step, by all threads.</param>
/// <param name="AllocatedBytesOfThread">The same by the thread that trains.</param>
/// <param name="TensorsBefore">Tensors alive after the first step.</param>
/// <param name="TensorsAfter">Tensors alive at the end.</param>
internal sealed record AloneRun(
    string Mode, long PeakBytes, long HintBytes, double AllocatedBytes, double AllocatedBytesOfThread, long TensorsBefore, long TensorsAfter)
{
    private const int Steps = 3;

    public static AloneRun Of(StepPlan plan)
    {
        using var program = new StepProgram(plan);
        var mode = HybridFheModes.Parse(plan.Modes[0]);
        if (mode != HybridFheMode.Torch)
        {
            program.Compile();
        }

        program.Step(mode);
        var tensors = Tensor.TotalCount;
        var (all, ours) = (GC.GetTotalAllocatedBytes(precise: true), GC.GetAllocatedBytesForCurrentThread());
        for (var i = 0; i < Steps; i++)
        {
            program.Step(mode);
        }

        ours = GC.GetAllocatedBytesForCurrentThread() - ours;
        all = GC.GetTotalAllocatedBytes(precise: true) - all;
        return new AloneRun(
            plan.Modes[0], ProcessMemory.Read().Peak, HintMemory.BytesOf(program.Layers, mode), all / (double)Steps, ours / (double)Steps, tensors, Tensor.TotalCount);
    }
}
