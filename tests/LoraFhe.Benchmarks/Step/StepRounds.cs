namespace LoraFhe.Benchmarks;

/// <summary>Steps of several modes in turn, as they come and, where torch is faster so, with its best setting for all of them.</summary>
internal sealed class StepRounds(StepPlan plan, TorchSetting best)
{
    /// <summary>Runs the modes in turn: a run with nothing set first.</summary>
    public IReadOnlyList<PairRun> Run(IReadOnlyList<string> modes, bool remote)
    {
        var all = plan with { Modes = modes, Remote = remote };
        var asItComes = StepChild.RunPairs(all, TorchSetting.AsItComes);
        return best == TorchSetting.AsItComes ? [asItComes] : [asItComes, StepChild.RunPairs(best.Apply(all), best)];
    }

    /// <summary>A row a mode: each mode, torch too, at the better of the runs.</summary>
    public static IEnumerable<StepRow> Rows(IReadOnlyList<PairRun> runs)
    {
        if (runs.Count == 0)
        {
            yield break;
        }

        foreach (var mode in runs[0].Modes)
        {
            // Against torch's slower run, a round's ratio is too small by as much as that is slower.
            var torch = runs.Min(run => run.Seconds(StepReport.Torch).Median);
            var over = runs.Min(run => run.Ratio(mode, StepReport.Torch).Median * run.Seconds(StepReport.Torch).Median / torch);
            yield return new StepRow(mode, runs[0].Seconds(mode).Median, runs[0].Ratio(mode, StepReport.Torch), runs.Min(run => run.Seconds(mode).Median), over);
        }
    }
}
