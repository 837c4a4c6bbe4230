using LoraFhe.Samples.FineTuneText;

namespace LoraFhe.Benchmarks;

/// <summary>Times whole training steps of whole models in every mode, and writes the tables that docs/performance.md shows.</summary>
internal static class Steps
{
    private static readonly string[] InTurn = [StepReport.Torch, "disable", "simulate", StepReport.Execute];

    public static StepReport Run(StepOptions options, TextWriter output)
    {
        var models = new List<StepModelReport>();
        foreach (var model in options.Models)
        {
            foreach (var threads in options.Threads)
            {
                var report = Measure(new StepPlan(model, options.Batch, options.Tokens, threads, options.Seconds, InTurn), options.What);
                if (models.Count == 0)
                {
                    output.WriteLine($"{Processor.Name}; our kernel: {report.Product.Kernel}, {VectorUnits.Description}. Steps of all modes in turn; medians, 10–90 % of rounds in parentheses; what warms up is left out.");
                    output.WriteLine();
                }

                models.Add(report);
                StepTables.Write(report, VectorUnits.AreFull512, output);
            }
        }

        return new StepReport(Processor.Name, VectorUnits.Bits, VectorUnits.AreFull512, models[0].Product.Kernel, models);
    }

    private static StepModelReport Measure(StepPlan plan, IReadOnlyList<string> what)
    {
        var best = what.Contains("settings") ? TorchAtItsBest.Find(plan) : null;
        var gain = best?.Gain ?? 1;
        var pairs = what.Contains("pairs") ? StepChild.RunPairs(plan) : null;
        var rows = pairs is null ? [] : plan.Modes.Select(mode => Row(pairs, mode, mode, gain)).ToList();
        if (what.Contains("loopback"))
        {
            var remote = StepChild.RunPairs(plan with { Modes = [StepReport.Torch, StepReport.Execute], Remote = true });
            rows.Add(Row(remote, StepReport.Execute, StepReport.Loopback, gain));
        }

        return new StepModelReport
        {
            Model = plan.Model.Name,
            Title = plan.Model.Title,
            Width = plan.Model.Widths.Hidden,
            Batch = plan.Batch,
            Tokens = plan.Tokens,
            Threads = plan.Threads,
            Product = StepChild.RunProducts(plan),
            TorchAtItsBest = best,
            Rows = rows,
            Traffic = pairs?.Traffic,
            PrepareSeconds = pairs?.PrepareSeconds ?? double.NaN,
            Memory = what.Contains("memory") ? [.. InTurn.Select(mode => StepChild.RunAlone(plan with { Modes = [mode] }))] : [],
        };
    }

    private static StepRow Row(PairRun run, string mode, string name, double gain)
    {
        var ratio = run.Ratio(mode, StepReport.Torch);
        return new StepRow(name, run.Seconds(mode).Median, ratio, ratio.Median * gain);
    }
}
