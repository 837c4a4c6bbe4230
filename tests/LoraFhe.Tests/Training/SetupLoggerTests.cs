using LoraFhe.Fixtures;
using Microsoft.Extensions.Logging;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

public sealed class SetupLoggerTests
{
    [Fact]
    public void Lines_are_time_level_message_and_are_appended()
    {
        using var folder = new TemporaryFolder();
        var logger = Lora.SetupLogger(folder.At("sub/training.log"));
        logger.LogInformation("one");
        logger.LogDebug("not written");
        logger.LogWarning("{Number:F6} {Text:l}", 1.5, "text");
        ((IDisposable)logger).Dispose();
        logger = Lora.SetupLogger(folder.At("sub/training.log"));
        logger.LogInformation("two");
        ((IDisposable)logger).Dispose();

        var lines = File.ReadAllLines(folder.At("sub/training.log"));
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - (INFO|WARNING) - ", line));
        Assert.EndsWith(" - INFO - one", lines[0], StringComparison.Ordinal);
        Assert.EndsWith(" - WARNING - 1.500000 text", lines[1], StringComparison.Ordinal);
        Assert.EndsWith(" - INFO - two", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_logger_leaves_the_first_ones_file_alone()
    {
        using var folder = new TemporaryFolder();
        var first = Lora.SetupLogger(folder.At("first.log"));
        var second = Lora.SetupLogger(folder.At("second.log"), LogLevel.Debug);
        first.Log(LogLevel.Information, "to the first");
        second.Log(LogLevel.Debug, "to the second");
        ((IDisposable)first).Dispose();
        ((IDisposable)second).Dispose();
        Assert.EndsWith("to the first", Assert.Single(File.ReadAllLines(folder.At("first.log"))), StringComparison.Ordinal);
        Assert.EndsWith("DEBUG - to the second", Assert.Single(File.ReadAllLines(folder.At("second.log"))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_gradient_is_moved_and_a_missing_one_is_none()
    {
        using var parameter = new Parameter(ones(2));
        Lora.GradTo(parameter, CPU);
        Assert.Null(parameter.grad);
        parameter.sum().backward();
        Lora.GradTo(parameter, CPU);
        Assert.Equal(2f, parameter.grad!.sum().item<float>());
    }

    [Fact]
    public void An_optimizer_that_made_200_steps_can_be_moved_and_goes_on()
    {
        using var layer = nn.Linear(3, 2);
        using var optimizer = optim.AdamW(layer.parameters());
        for (var i = 0; i < 200; i++)
        {
            optimizer.zero_grad();
            layer.call(ones(1, 3)).sum().backward();
            optimizer.step();
        }

        Lora.OptimizerTo(optimizer, CPU);
        layer.call(ones(1, 3)).sum().backward();
        optimizer.step();
    }
}
