using System.Text.Json;
using LoraFhe.Fixtures;
using static TorchSharp.torch;
using static TorchSharp.torch.optim.lr_scheduler;

namespace LoraFhe.Tests.Training;

/// <summary>Rates recorded from the transformers library.</summary>
public sealed class SchedulesTests
{
    private const double Tolerance = 1e-12;

    [Fact]
    public void Every_recorded_rate_is_met()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(RepositoryFolder.Fixture("schedules.json")));
        var compared = 0;
        foreach (var recorded in new GoldenJson(document.RootElement)["schedules"].Items)
        {
            var (warmup, total) = (recorded["warmup"].AsInt32, recorded["total"].AsInt32);
            Func<optim.Optimizer, LRScheduler>? make = recorded["scheduler"].AsString switch
            {
                "constant" => Schedules.Constant,
                "constant_with_warmup" => optimizer => Schedules.ConstantWithWarmup(optimizer, warmup),
                "linear" => optimizer => Schedules.LinearWithWarmup(optimizer, warmup, total),
                "cosine" when recorded["kwargs"].Has("num_cycles") => optimizer =>
                    Schedules.CosineWithWarmup(optimizer, warmup, total, recorded["kwargs"]["num_cycles"].AsDouble),
                "cosine" => optimizer => Schedules.CosineWithWarmup(optimizer, warmup, total),
                _ => null,
            };
            if (make is null)
            {
                continue;
            }

            compared++;
            using var parameter = nn.Linear(1, 1);
            using var optimizer = optim.SGD(parameter.parameters(), recorded["base_lr"].AsDouble);
            var schedule = make(optimizer);
            foreach (var expected in recorded["lr"].AsDoubles)
            {
                Assert.Equal(expected, optimizer.ParamGroups.First().LearningRate, Math.Max(Math.Abs(expected), 1e-3) * Tolerance);
                schedule.step();
            }
        }

        Assert.InRange(compared, 24, int.MaxValue);
    }

    [Fact]
    public void Negative_steps_are_refused()
    {
        using var layer = nn.Linear(1, 1);
        using var optimizer = optim.SGD(layer.parameters(), 0.1);
        Assert.Throws<ArgumentOutOfRangeException>(() => Schedules.ConstantWithWarmup(optimizer, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Schedules.LinearWithWarmup(optimizer, 1, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Schedules.CosineWithWarmup(optimizer, -1, 1));
    }
}
