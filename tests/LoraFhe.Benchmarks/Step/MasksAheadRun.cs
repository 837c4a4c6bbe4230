using LoraFhe.Samples.FineTuneText;

namespace LoraFhe.Benchmarks;

/// <summary>What masks made ahead bring a training step: stretches of steps in torch mode, in execute, and in execute with masks, in turn, in one process.</summary>
/// <remarks>The first step of a stretch is left out: between stretches the masks of a whole step are made on time that is not counted.</remarks>
internal static class MasksAheadRun
{
    private const int Stretch = 5;
    private const long Budget = 1L << 30;

    public static MasksAheadReport Run(StepOptions options, TextWriter output)
    {
        var rows = new List<MasksAheadRow>();
        output.WriteLine($"{Processor.Name}; our kernel: {InProcessFheBackend.KernelName}.");
        output.WriteLine();
        output.WriteLine("| model | tokens a step | threads | execute over torch | with masks ahead | with over without |");
        output.WriteLine("|---|---|---|---|---|---|");
        foreach (var model in options.Models)
        {
            foreach (var threads in options.Threads)
            {
                var plan = new StepPlan(model, options.Batch, options.Tokens, threads, options.Seconds, []);
                var row = Measure(plan);
                output.WriteLine($"| {row.Title} | {row.Batch} × {plan.Length} | {row.Threads} | {row.ExecuteOverTorch:F2} | {row.AheadOverTorch:F2} | {row.AheadOverExecute:F2} |");
                rows.Add(row);
            }
        }

        return new MasksAheadReport(Processor.Name, InProcessFheBackend.KernelName, rows);
    }

    private static MasksAheadRow Measure(StepPlan plan)
    {
        using StepProgram plain = new(plan), ahead = new(plan, new MasksAheadOptions { MemoryBudget = Budget });
        plain.Compile();
        ahead.Compile();
        var (torch, execute, masked) = (new List<double>(), new List<double>(), new List<double>());
        var start = TimeProvider.System.GetTimestamp();
        Run(plain, HybridFheMode.Execute);
        Run(ahead, HybridFheMode.Execute);
        do
        {
            torch.AddRange(Run(plain, HybridFheMode.Torch));
            execute.AddRange(Run(plain, HybridFheMode.Execute));
            masked.AddRange(Run(ahead, HybridFheMode.Execute));
        }
        while (TimeProvider.System.GetElapsedTime(start).TotalSeconds < plan.Seconds);

        var (clear, without, with) = (Spread.Of(torch).Median, Spread.Of(execute).Median, Spread.Of(masked).Median);
        return new MasksAheadRow(
            plan.Model.Name, plan.Model.Title, plan.Batch, plan.Tokens, plan.Threads, without / clear, with / clear, with / without);
    }

    private static IEnumerable<double> Run(StepProgram program, HybridFheMode mode) =>
        Enumerable.Range(0, Stretch).Select(_ => program.Step(mode)).ToList().Skip(1);
}
