using LoraFhe.Fixtures;
using LoraFhe.Tests.Training;
using static TorchSharp.torch;

namespace LoraFhe.Tests.BadDays;

/// <summary>Arguments and options: each wrong one is named, and what was made before is as it was.</summary>
public sealed class OptionFaultTests
{
    public static TheoryData<TrainingArguments, string> Arguments => new()
    {
        { new TrainingArguments { GradientAccumulationSteps = 0 }, "GradientAccumulationSteps is 0" },
        { new TrainingArguments { GradientAccumulationSteps = -3 }, "GradientAccumulationSteps is -3" },
        { new TrainingArguments { MaxGradNorm = 0 }, "MaxGradNorm is 0" },
        { new TrainingArguments { MaxGradNorm = -1 }, "MaxGradNorm is -1" },
        { new TrainingArguments { MaxGradNorm = double.NaN }, "MaxGradNorm is NaN" },
        { new TrainingArguments { MaxGradNorm = double.PositiveInfinity }, "MaxGradNorm is" },
        { new TrainingArguments { LossScaling = (LossScaling)9 }, "LossScaling is 9" },
    };

    [Theory]
    [MemberData(nameof(Arguments))]
    public void A_wrong_option_is_named(TrainingArguments arguments, string says)
    {
        using var model = Adapted();
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        Assert.Contains(says, Assert.Throws<ArgumentException>("trainingArgs", () => Make(model, optimizer, arguments: arguments)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_count_is_named()
    {
        using var model = Adapted();
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        Assert.Throws<ArgumentOutOfRangeException>("loggingSteps", () => Make(model, optimizer, loggingSteps: 0));
        Assert.Throws<ArgumentOutOfRangeException>("evalSteps", () => Make(model, optimizer, evalSteps: -1));
        using var trainer = Make(model, optimizer);
        using var batch = new Batch(ones(4, 6), null);
        Assert.Throws<ArgumentOutOfRangeException>("numEpochs", () => trainer.Train([batch], 0, cancellationToken: Cancellation.Token));
        Assert.Throws<ArgumentOutOfRangeException>("numEpochs", () => trainer.Train([batch], -1, cancellationToken: Cancellation.Token));
        Assert.Throws<ArgumentException>("nBits", () => trainer.Compile(batch, nBits: 7, cancellationToken: Cancellation.Token));
        Assert.Throws<ArgumentException>("nBits", () => trainer.Compile(batch, nBits: 13, cancellationToken: Cancellation.Token));
        Assert.StartsWith(
            "HybridFheMode has no member 9; it is one of 'Disable', 'Simulate', 'Execute', 'Torch'.",
            Assert.Throws<ArgumentOutOfRangeException>("fhe", () => trainer.Train([batch], 1, (HybridFheMode)9, cancellationToken: Cancellation.Token)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-5, 3)]
    [InlineData(0, 3)]
    [InlineData(int.MaxValue, 0)]
    public void Any_number_of_layers_to_skip_works(int skip, int replaced)
    {
        using var model = Adapted();
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        using var trainer = Make(model, optimizer, skip: skip);
        Assert.Equal(replaced, trainer.RemoteNames.Count(name => name.EndsWith(".forward_module", StringComparison.Ordinal)));
        using Batch batch = (ones(4, 6), ones(4, 3));
        trainer.Compile(batch, cancellationToken: Cancellation.Token);
        trainer.Train([batch], 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token);
        Assert.Single(trainer.TrainingLosses);
    }

    [Theory]
    [InlineData("", "checkpointDir")]
    [InlineData("  ", "checkpointDir")]
    [InlineData("a\0b", "checkpointDir 'a")]
    [InlineData("file", "checkpointDir")]
    [InlineData("file/below", "checkpointDir")]
    public void A_checkpoint_folder_that_cannot_be_is_named(string name, string says)
    {
        using var folder = new TemporaryFolder();
        folder.Write("file", "");
        using var model = Adapted();
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        var error = Record.Exception(() => Make(model, optimizer, checkpointDir: name.StartsWith('f') ? folder.At(name) : name));
        Assert.Contains(says, error?.Message, StringComparison.Ordinal);
        using var trainer = Make(model, optimizer);
    }

    [Fact]
    public void A_folder_for_hints_or_an_adapter_that_is_a_file_is_named_with_its_argument()
    {
        using var folder = new TemporaryFolder();
        folder.Write("file", "");
        var path = folder.At("file");
        var hints = Assert.Throws<IOException>(() => new InProcessFheBackend(new InProcessFheOptions { HintFolder = path })).Message;
        Assert.StartsWith($"HintFolder '{path}' cannot be used: ", hints, StringComparison.Ordinal);
        Assert.EndsWith("Give a folder that can be written.", hints, StringComparison.Ordinal);
        using var model = Adapted();
        var adapter = Assert.Throws<IOException>(() => model.SavePretrained(path)).Message;
        Assert.StartsWith($"folder '{path}' cannot be used: ", adapter, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("file/training.log")]
    [InlineData("folder")]
    public void A_log_file_that_cannot_be_written_is_named_not_passed_over(string name)
    {
        using var folder = new TemporaryFolder();
        folder.Write("file", "");
        Directory.CreateDirectory(folder.At("folder"));
        using var model = Adapted();
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        var error = Assert.ThrowsAny<IOException>(() => new LoraTrainer(model, optimizer, (logits, _) => logits.sum(), trainLogPath: folder.At(name)));
        Assert.Contains($"Log file '{folder.At(name)}' cannot be written", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("logFile", () => Lora.SetupLogger(""));
    }

    [Fact]
    public void A_metric_function_that_returns_nothing_is_named()
    {
        using var run = new SmallRun(evalMetricFn: (_, _) => null!, evalSteps: 1);
        var error = Assert.Throws<InvalidOperationException>(() => run.Trainer.Train([run.Inputset], 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
        Assert.StartsWith("evalMetricFn returned null", error.Message, StringComparison.Ordinal);
        Assert.True(run.Model.training);
    }

    private static LoraModel Adapted() => LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 1, TargetModules = ["fc2"] });

    private static LoraTrainer Make(
        LoraModel model, optim.Optimizer optimizer, TrainingArguments? arguments = null, int loggingSteps = 1, int evalSteps = 10, int skip = 1,
        string? checkpointDir = null) => new(
        model, optimizer, (logits, labels) => nn.functional.mse_loss(logits, labels), trainingArgs: arguments, nLayersToSkipForBackprop: skip,
        loggingSteps: loggingSteps, evalSteps: evalSteps, checkpointDir: checkpointDir, logger: new RecordingLogger());
}
