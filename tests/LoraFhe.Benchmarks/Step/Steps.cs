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
        var rounds = new StepRounds(plan, TorchSetting.For(plan.Threads).First(setting => setting.Name == (best?.Setting ?? setting.Name)));
        var pairs = what.Contains("pairs") ? rounds.Run(InTurn, remote: false) : [];
        var loopback = what.Contains("loopback") ? rounds.Run([StepReport.Torch, StepReport.Execute], remote: true) : [];
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
            Rows = [.. StepRounds.Rows(pairs), .. StepRounds.Rows(loopback).Skip(1).Select(row => row with { Mode = StepReport.Loopback })],
            Traffic = pairs is [var first, ..] ? first.Traffic : null,
            PrepareSeconds = pairs is [var prepared, ..] ? prepared.PrepareSeconds : double.NaN,
            Memory = what.Contains("memory") ? [.. InTurn.Select(mode => StepChild.RunAlone(plan with { Modes = [mode] }))] : [],
        };
    }
}
