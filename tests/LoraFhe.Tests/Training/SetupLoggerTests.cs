using System.Reflection;
using LoraFhe.Fixtures;
using Microsoft.Extensions.Logging;
using TorchSharp;
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

    public static TheoryData<string> Optimizers => ["ASGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSProp", "Rprop", "SGD"];

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void Every_tensor_of_an_optimizers_state_is_moved_and_outlives_the_callers_scope(string name)
    {
        using var parameter = new Parameter(ones(3));
        using var optimizer = Optimizer(name, [parameter]);
        parameter.sum().backward();
        optimizer.step();
        using (NewDisposeScope())
        {
            Lora.OptimizerTo(optimizer, META);
        }

        var state = StateTensors(optimizer);
        Assert.NotEmpty(state);
        Assert.All(state, tensor => Assert.Equal(DeviceType.META, tensor.device_type));
        Assert.Equal(DeviceType.META, parameter.grad!.device_type);
    }

    [Fact]
    public void An_optimizer_that_keeps_no_movable_state_is_refused_by_name()
    {
        using var parameter = new Parameter(ones(3));
        using var optimizer = optim.LBFGS([parameter]);
        Assert.Contains("'LBFGS'", Assert.Throws<NotSupportedException>(() => Lora.OptimizerTo(optimizer, CPU)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_an_error_and_not_a_silence()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(folder.Path, Assert.ThrowsAny<IOException>(() => Lora.SetupLogger(folder.Path)).Message, StringComparison.Ordinal);
        folder.Write("file", "");
        Assert.ThrowsAny<IOException>(() => Lora.SetupLogger(folder.At("file/training.log")));
    }

    [Fact]
    public void Two_loggers_of_one_file_both_write_to_it()
    {
        using var folder = new TemporaryFolder();
        var (first, second) = (Lora.SetupLogger(folder.At("training.log")), Lora.SetupLogger(folder.At("training.log")));
        first.Log(LogLevel.Information, "one");
        second.Log(LogLevel.Information, "two");
        first.Log(LogLevel.Information, "three");
        ((IDisposable)first).Dispose();
        ((IDisposable)second).Dispose();
        Assert.Equal(["one", "two", "three"], File.ReadAllLines(folder.At("training.log")).Select(line => line[(line.LastIndexOf('-') + 2)..]));
    }

    private static optim.Optimizer Optimizer(string name, IEnumerable<Parameter> parameters) => name switch
    {
        "ASGD" => optim.ASGD(parameters),
        "Adadelta" => optim.Adadelta(parameters),
        "Adagrad" => optim.Adagrad(parameters),
        "Adam" => optim.Adam(parameters, amsgrad: true),
        "AdamW" => optim.AdamW(parameters, amsgrad: true),
        "Adamax" => optim.Adamax(parameters),
        "NAdam" => optim.NAdam(parameters),
        "RAdam" => optim.RAdam(parameters),
        "RMSProp" => optim.RMSProp(parameters, momentum: 0.9, centered: true),
        "Rprop" => optim.Rprop(parameters),
        _ => optim.SGD(parameters, 0.1, momentum: 0.9),
    };

    private static List<Tensor> StateTensors(optim.Optimizer optimizer) => [.. ((OptimizerHelper)optimizer).state_dict().State
        .SelectMany(state => state.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Select(field => field.GetValue(state)))
        .Where(value => value is not Parameter).OfType<Tensor>()];
}
