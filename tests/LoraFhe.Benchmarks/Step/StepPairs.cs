namespace LoraFhe.Benchmarks;

/// <summary>Steps of several modes in turn, in one process, so that a machine whose speed drifts drifts for all.</summary>
internal static class StepPairs
{
    private const int FewestRounds = 3;

    /// <summary>Runs rounds: in each, a step of every mode, in the opposite order every other time.</summary>
    /// <remarks>The first round is not counted: it draws the public matrix, makes the float copies of disable and simulate, and compiles code.</remarks>
    public static PairRun Run(StepPlan plan)
    {
        using var program = new StepProgram(plan);
        var modes = plan.Modes.Select(HybridFheModes.Parse).ToList();
        var prepared = modes.Exists(mode => mode != HybridFheMode.Torch) ? program.Compile() : 0;
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
