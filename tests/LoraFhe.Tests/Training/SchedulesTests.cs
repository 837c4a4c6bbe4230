using static TorchSharp.torch;
using static TorchSharp.torch.optim.lr_scheduler;

namespace LoraFhe.Tests.Training;

/// <summary>What a schedule refuses; its rates are held to recorded ones among the parity tests.</summary>
public sealed class SchedulesTests
{
    [Fact]
    public void Negative_numbers_are_refused_by_name()
    {
        AssertRefused("warmupSteps", optimizer => Schedules.ConstantWithWarmup(optimizer, -1));
        AssertRefused("warmupSteps", optimizer => Schedules.InverseSqrt(optimizer, -1));
        AssertRefused("totalSteps", optimizer => Schedules.LinearWithWarmup(optimizer, 1, -1));
        AssertRefused("totalSteps", optimizer => Schedules.CosineWithRestarts(optimizer, 1, -1));
        AssertRefused("warmupSteps", optimizer => Schedules.CosineWithWarmup(optimizer, -1, 1));
        AssertRefused("cycles", optimizer => Schedules.CosineWithWarmup(optimizer, 1, 1, -0.5));
        AssertRefused("cycles", optimizer => Schedules.CosineWithRestarts(optimizer, 1, 2, -1));
        AssertRefused("minLrRate", optimizer => Schedules.CosineWithMinLr(optimizer, 1, 2, -0.1));
        AssertRefused("lrEnd", optimizer => Schedules.Polynomial(optimizer, 1, 2, -0.1));
    }

    [Fact]
    public void A_power_a_last_rate_or_a_timescale_that_makes_no_curve_is_refused_by_name()
    {
        AssertRefused("totalSteps", optimizer => Schedules.Polynomial(optimizer, 5, 5));
        AssertRefused("lrEnd", optimizer => Schedules.Polynomial(optimizer, 1, 2, lrEnd: 0.1));
        AssertRefused("power", optimizer => Schedules.Polynomial(optimizer, 1, 2, power: 0));
        AssertRefused("timescale", optimizer => Schedules.InverseSqrt(optimizer, 1, 0));
    }

    private static void AssertRefused(string parameter, Func<optim.Optimizer, LRScheduler> make)
    {
        using var layer = nn.Linear(1, 1);
        using var optimizer = optim.SGD(layer.parameters(), 0.1);
        Assert.Equal(parameter, Assert.Throws<ArgumentOutOfRangeException>(() => make(optimizer)).ParamName);
    }
}
