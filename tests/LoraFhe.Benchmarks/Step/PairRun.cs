namespace LoraFhe.Benchmarks;

/// <summary>What a process that ran several modes in turn found.</summary>
/// <param name="Modes">By Python's names.</param>
/// <param name="Rounds">Seconds of each mode's step, a list a round; the first round is left out.</param>
/// <param name="PrepareSeconds">How long compiling took.</param>
/// <param name="Traffic">Of a step in execute.</param>
internal sealed record PairRun(IReadOnlyList<string> Modes, IReadOnlyList<IReadOnlyList<double>> Rounds, double PrepareSeconds, StepTraffic Traffic)
{
    /// <summary>A mode's seconds.</summary>
    public Spread Seconds(string mode)
    {
        var column = Column(mode);
        return Spread.Of(Rounds.Select(round => round[column]));
    }

    /// <summary>A mode's time over another's, round by round.</summary>
    public Spread Ratio(string mode, string other)
    {
        var (column, over) = (Column(mode), Column(other));
        return Spread.Of(Rounds.Select(round => round[column] / round[over]));
    }

    private int Column(string mode) => Modes.ToList().IndexOf(mode);
}
