namespace LoraFhe.Benchmarks;

/// <summary>Torch mode with each setting, each in processes of its own.</summary>
/// <param name="Setting">The fastest; the default, unless another is clearly faster.</param>
/// <param name="Seconds">The median step of each setting.</param>
internal sealed record TorchAtItsBest(string Setting, IReadOnlyDictionary<string, double> Seconds)
{
    private const int Visits = 2;

    // Less than this is what a machine's own moods do.
    private const double ClearlyFaster = 0.97;

    /// <summary>Visits every setting twice, the second time in the opposite order, so that a drifting machine favors none.</summary>
    public static TorchAtItsBest Find(StepPlan plan)
    {
        var settings = TorchSetting.For(plan.Threads);
        var visits = settings.ToDictionary(setting => setting.Name, _ => new List<double>());
        var torch = plan with { Modes = [StepReport.Torch], Seconds = plan.Seconds / (Visits * settings.Count) };
        foreach (var setting in settings.Concat(settings.Reverse()))
        {
            var run = StepChild.RunPairs(setting.Apply(torch), setting);
            visits[setting.Name].AddRange(run.Rounds.Select(round => round[0]));
        }

        var seconds = visits.ToDictionary(visit => visit.Key, visit => Spread.Of(visit.Value).Median);
        var best = seconds.MinBy(entry => entry.Value);
        var asItComes = settings[0].Name;
        return new TorchAtItsBest(best.Value < ClearlyFaster * seconds[asItComes] ? best.Key : asItComes, seconds);
    }
}
