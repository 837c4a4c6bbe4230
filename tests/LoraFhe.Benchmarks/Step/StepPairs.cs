namespace LoraFhe.Benchmarks;

/// <summary>Steps of several modes in turn, in one process, so that a machine whose speed drifts drifts for all.</summary>
internal static class StepPairs
{
    private const int FewestRounds = 3;
    private const double WarmUpShare = 0.5;

    /// <summary>Runs rounds: in each, a step of every mode, in the opposite order every other time.</summary>
    /// <remarks>Not counted: rounds of a few tokens, in which the runtime compiles code for good, as it has in a run's second minute; and a first round of the
    /// whole batch. They draw the public matrix, and make hints and the float copies of disable and simulate.</remarks>
    public static PairRun Run(StepPlan plan)
    {
        using var program = new StepProgram(plan);
        var modes = plan.Modes.Select(HybridFheModes.Parse).ToList();
        var prepared = modes.Exists(mode => mode != HybridFheMode.Torch) ? program.Compile() : 0;
        WarmUp(program, modes, plan.Seconds * WarmUpShare);
        _ = Round(program, modes, isReversed: false);
        var before = program.Traffic;
        var rounds = new List<IReadOnlyList<double>>();
        var start = TimeProvider.System.GetTimestamp();
        while (rounds.Count < FewestRounds || TimeProvider.System.GetElapsedTime(start).TotalSeconds < plan.Seconds)
        {
            rounds.Add(Round(program, modes, isReversed: rounds.Count % 2 == 1));
        }

        return new PairRun(plan.Modes, rounds, prepared, StepTraffic.Of(program.Traffic - before, rounds.Count));
    }

    private static void WarmUp(StepProgram program, List<HybridFheMode> modes, double seconds)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start).TotalSeconds < seconds)
        {
            modes.ForEach(program.WarmUpStep);
        }
    }

    private static double[] Round(StepProgram program, List<HybridFheMode> modes, bool isReversed)
    {
        var seconds = new double[modes.Count];
        for (var i = 0; i < modes.Count; i++)
        {
            var which = isReversed ? modes.Count - 1 - i : i;
            seconds[which] = program.Step(modes[which]);
        }

        return seconds;
    }
}
