namespace LoraFhe.Benchmarks;

/// <summary>Torch mode with each setting, in a process of its own.</summary>
/// <param name="Setting">The fastest.</param>
/// <param name="Gain">How many times as fast it is as the default is, 1 or more.</param>
/// <param name="Seconds">The median step of each setting.</param>
internal sealed record TorchAtItsBest(string Setting, double Gain, IReadOnlyDictionary<string, double> Seconds)
{
    private const int Visits = 2;

    /// <summary>Visits every setting twice, the second time in the opposite order, so that a drifting machine favors none.</summary>
    public static TorchAtItsBest Find(StepPlan plan)
    {
        var settings = TorchSetting.For(plan.Threads);
        var visits = settings.ToDictionary(setting => setting.Name, _ => new List<double>());
        var torch = plan with { Modes = [StepReport.Torch], Seconds = plan.Seconds / (Visits * settings.Count), Remote = false };
        foreach (var setting in settings.Concat(settings.Reverse()))
        {
            var run = StepChild.RunPairs(torch with { Threads = setting.Threads ?? plan.Threads }, setting.Variables);
            visits[setting.Name].AddRange(run.Rounds.Select(round => round[0]));
        }

        var seconds = visits.ToDictionary(visit => visit.Key, visit => Spread.Of(visit.Value).Median);
        var best = seconds.MinBy(entry => entry.Value);
        return new TorchAtItsBest(best.Key, seconds[settings[0].Name] / best.Value, seconds);
    }
}
