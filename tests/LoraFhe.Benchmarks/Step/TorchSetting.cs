namespace LoraFhe.Benchmarks;

/// <summary>Environment variables that torch mode may be faster with.</summary>
/// <param name="Name">What tables call it.</param>
/// <param name="Threads">Of libtorch and of the encrypted products; null: the run's.</param>
/// <param name="Variables">Set in the process; libtorch here uses GNU's OpenMP, so KMP_BLOCKTIME would say nothing to it.</param>
internal sealed record TorchSetting(string Name, int? Threads, IReadOnlyDictionary<string, string> Variables)
{
    /// <summary>Nothing is set.</summary>
    public static TorchSetting AsItComes { get; } = new("as it comes", null, new Dictionary<string, string>());

    /// <summary>The settings that are tried, the default first.</summary>
    public static IReadOnlyList<TorchSetting> For(int threads)
    {
        TorchSetting[] settings =
        [
            AsItComes,
            Of("OMP_WAIT_POLICY=active"),
            Of("OMP_WAIT_POLICY=passive"),
            Of("GOMP_SPINCOUNT=10000"),
            Of("OMP_PROC_BIND=true"),
            Of("OMP_NUM_THREADS=1") with { Threads = 1 },
        ];
        return threads > 1 ? settings : settings[..1];
    }

    /// <summary>A plan with this setting's threads.</summary>
    public StepPlan Apply(StepPlan plan) => plan with { Threads = Threads ?? plan.Threads };

    private static TorchSetting Of(string assignment)
    {
        var parts = assignment.Split('=');
        return new TorchSetting(assignment, null, new Dictionary<string, string> { [parts[0]] = parts[1] });
    }
}
