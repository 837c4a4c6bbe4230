using LoraFhe.Fixtures;
using static TorchSharp.torch;
using static TorchSharp.torch.optim.lr_scheduler;

namespace LoraFhe.Parity.Tests.Trajectories;

/// <summary>The learning rates of transformers' schedules, all that were recorded.</summary>
public sealed class SchedulesTests
{
    private static readonly GoldenJson Recorded = Read();

    public static TheoryData<string> Cases => [.. Recorded["schedules"].Items.Select(Name)];

    public static TheoryData<string> Faults => [.. Recorded["errors"].Items.Select(Name)];

    [Fact]
    public void No_recorded_schedule_is_lost() => Assert.Equal((70, 2), (Cases.Count, Faults.Count));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_step_has_the_recorded_rate(string name)
    {
        var recorded = Recorded["schedules"].Items.Single(item => Name(item) == name);
        using var layer = nn.Linear(1, 1);
        using var optimizer = optim.SGD(layer.parameters(), recorded["base_lr"].AsDouble);
        var schedule = Make(optimizer, recorded);
        var comparison = new Comparison(name);
        foreach (var (step, rate) in recorded["lr"].AsDoubles.Index())
        {
            comparison.Number($"step {step}", rate, optimizer.ParamGroups.Single().LearningRate, rate * Recorded["tolerance_rel"].AsDouble);
            schedule.step();
        }

        comparison.AssertEqual();
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void What_divides_by_zero_there_is_refused_here(string name)
    {
        var recorded = Recorded["errors"].Items.Single(item => Name(item) == name);
        using var layer = nn.Linear(1, 1);
        using var optimizer = optim.SGD(layer.parameters(), 0.01);

        Assert.Equal("totalSteps", Assert.Throws<ArgumentOutOfRangeException>(() => Make(optimizer, recorded)).ParamName);
    }

    private static LRScheduler Make(optim.Optimizer optimizer, GoldenJson recorded)
    {
        var (warmup, total, options) = (recorded["warmup"].AsInt32, recorded["total"].AsInt32, recorded["kwargs"]);
        return (recorded["scheduler"].AsString, options.Members.Select(member => member.Name).ToArray()) switch
        {
            ("constant", []) => Schedules.Constant(optimizer),
            ("constant_with_warmup", []) => Schedules.ConstantWithWarmup(optimizer, warmup),
            ("linear", []) => Schedules.LinearWithWarmup(optimizer, warmup, total),
            ("cosine", []) => Schedules.CosineWithWarmup(optimizer, warmup, total),
            ("cosine", ["num_cycles"]) => Schedules.CosineWithWarmup(optimizer, warmup, total, options["num_cycles"].AsDouble),
            ("cosine_with_restarts", []) => Schedules.CosineWithRestarts(optimizer, warmup, total),
            ("cosine_with_restarts", ["num_cycles"]) => Schedules.CosineWithRestarts(optimizer, warmup, total, options["num_cycles"].AsInt32),
            ("cosine_with_min_lr", ["min_lr_rate"]) => Schedules.CosineWithMinLr(optimizer, warmup, total, options["min_lr_rate"].AsDouble),
            ("polynomial", []) => Schedules.Polynomial(optimizer, warmup, total),
            ("polynomial", ["power", "lr_end"]) => Schedules.Polynomial(optimizer, warmup, total, options["lr_end"].AsDouble, options["power"].AsDouble),
            ("inverse_sqrt", []) => Schedules.InverseSqrt(optimizer, warmup),
            ("inverse_sqrt", ["timescale"]) => Schedules.InverseSqrt(optimizer, warmup, options["timescale"].AsInt32),
            (var name, var keys) => throw new InvalidDataException($"'{name}' with {string.Join(", ", keys)} has no counterpart."),
        };
    }

    private static string Name(GoldenJson recorded) =>
        $"{recorded["scheduler"].AsString} {string.Join(' ', recorded["kwargs"].Members.Select(member => $"{member.Name}={member.Value.AsDouble}"))} warmup={recorded["warmup"].AsInt32} total={recorded["total"].AsInt32}"
            .Replace("  ", " ", StringComparison.Ordinal);

    private static GoldenJson Read()
    {
        using var golden = Golden.Open(".");
        return golden.Json("schedules.json");
    }
}
