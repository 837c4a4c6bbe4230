using LoraFhe.Tests.Training;
using static TorchSharp.torch;

namespace LoraFhe.Tests.BadDays;

/// <summary>Models, losses and optimizers that cannot be trained with.</summary>
public sealed class ModelFaultTests
{
    public static TheoryData<string, Type, string> Losses => new()
    {
        { "null", typeof(InvalidOperationException), "lossFn returned null" },
        { "disposed", typeof(InvalidOperationException), "The loss was disposed of" },
        { "a row", typeof(InvalidOperationException), "The loss is Float32 [4]; one real number was expected" },
        { "the logits", typeof(InvalidOperationException), "The loss is Float32 [4, 3]" },
        { "nothing", typeof(InvalidOperationException), "The loss is Float32 [0, 3]" },
        { "complex", typeof(InvalidOperationException), "The loss is ComplexFloat32 []" },
        { "an integer", typeof(InvalidOperationException), "graph is cut" },
        { "no gradient", typeof(InvalidOperationException), "graph is cut" },
        { "detached", typeof(InvalidOperationException), "graph is cut" },
        { "differentiated already", typeof(InvalidOperationException), "cannot be differentiated: Trying to backward through the graph a second time" },
        { "not a number", typeof(NotFiniteNumberException), "Step 1: The loss is NaN" },
        { "infinite", typeof(NotFiniteNumberException), "Step 1: The loss is" },
        { "wrong shapes", typeof(ArgumentException), "cannot be computed by lossFn: The size of tensor a (3) must match" },
    };

    [Theory]
    [MemberData(nameof(Losses))]
    public void A_loss_that_cannot_be_used_is_named_and_changes_nothing(string returns, Type error, string says)
    {
        var isBroken = true;
        using var run = new SmallRun(dropout: 0, lossFn: (logits, labels) => isBroken ? Broken(returns, logits) : nn.functional.cross_entropy(logits, labels));
        var weights = run.Weights();
        var caught = Record.Exception(() => run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
        Assert.IsType(error, caught);
        Assert.Contains(says, caught.Message, StringComparison.Ordinal);
        Assert.Equal(weights, run.Weights());
        Assert.Empty(run.Losses);
        isBroken = false;
        AssertEndsAsIfNothingHadHappened(run);
    }

    [Fact]
    public void A_loss_function_that_disposes_its_inputs_harms_nobody()
    {
        using var run = new SmallRun(dropout: 0, lossFn: (logits, labels) =>
        {
            var loss = nn.functional.cross_entropy(logits, labels);
            logits.Dispose();
            labels.Dispose();
            return loss;
        });
        AssertEndsAsIfNothingHadHappened(run);
    }

    [Theory]
    [InlineData("null", "'forwardFn' returned nothing")]
    [InlineData("nothing", "the model must return either a Tensor or a ModelOutput")]
    [InlineData("disposed", "'forwardFn' returned a tensor that was disposed of")]
    [InlineData("not a number", "Step 1: The loss is NaN")]
    [InlineData("throws", "mine")]
    public void An_output_that_cannot_be_used_is_named(string returns, string says)
    {
        using var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 1, TargetModules = ["fc2"] });
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        using var trainer = new LoraTrainer(
            model, optimizer, (logits, labels) => logits.sum(), logger: new RecordingLogger(), forwardFn: batch =>
            {
                var logits = ((nn.Module<Tensor, Tensor>)model.Model).call(batch.Input!);
                switch (returns)
                {
                    case "null":
                        return null!;
                    case "nothing":
                        return new ModelOutput();
                    case "disposed":
                        logits.Dispose();
                        break;
                    case "not a number":
                        logits *= float.NaN;
                        break;
                    default:
                        throw new TimeoutException("mine");
                }

                return new ModelOutput { Logits = logits };
            });
        using Batch data = (ones(2, 6), ones(2));
        var error = Record.Exception(() => trainer.Train([data], 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
        Assert.Contains(says, error?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_adapters_is_refused_and_left_as_it_was()
    {
        using var model = new Mlp([6, 12, 10, 3]);
        var names = Names(model);
        using var optimizer = optim.SGD(model.parameters(), 0.1);
        Assert.Throws<ArgumentException>("model", () => new LoraTrainer(model, optimizer, (logits, _) => logits.sum(), logger: new RecordingLogger()));
        Assert.Equal(names, Names(model));
    }

    [Theory]
    [InlineData("frozen adapters", "model", "no parameter that can be trained")]
    [InlineData("another model's", "optimizer", "has none of the model's 2 trainable parameters, such as 'base_model.model.fc2.lora_A.default.weight'")]
    [InlineData("the frozen layers'", "optimizer", "has none of the model's 2 trainable parameters")]
    [InlineData("closure", "optimizer", "Optimizer 'LBFGS' computes the loss again by a closure")]
    [InlineData("another schedule", "lrScheduler", "another optimizer")]
    [InlineData("folder", "", "checkpointDir")]
    public void An_optimizer_or_schedule_that_would_train_nothing_is_refused_before_the_model_is_changed(string fault, string parameter, string says)
    {
        using var folder = new LoraFhe.Fixtures.TemporaryFolder();
        using var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 1, TargetModules = ["fc2"] });
        using var other = LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 1, TargetModules = ["fc2"] });
        using var elsewhere = optim.SGD(other.TrainableParameters(), 0.1);
        using var right = optim.SGD(model.TrainableParameters(), 0.1);
        using var closure = optim.LBFGS(model.TrainableParameters());
        using var frozen = optim.SGD(model.parameters().Where(entry => !entry.requires_grad), 0.1);
        if (fault == "frozen adapters")
        {
            foreach (var adapter in model.TrainableParameters())
            {
                adapter.requires_grad = false;
            }
        }

        var names = Names(model);
        LoraTrainer Make(optim.Optimizer optimizer) => new(
            model, optimizer, (logits, _) => logits.sum(), fault == "another schedule" ? Schedules.Constant(elsewhere) : null,
            checkpointDir: fault == "folder" ? folder.Write("file", "") : null, logger: new RecordingLogger());

        var error = Record.Exception(() => Make(fault switch { "another model's" => elsewhere, "closure" => closure, "the frozen layers'" => frozen, _ => right }));

        Assert.Contains(says, error?.Message, StringComparison.Ordinal);
        Assert.Equal(parameter, (error as ArgumentException)?.ParamName ?? "");
        Assert.Equal(names, Names(model));
    }

    [Fact]
    public void An_optimizer_that_was_disposed_of_ends_in_an_error_and_the_adapters_stay()
    {
        using var run = new SmallRun();
        run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
        var weights = run.Weights();
        run.Optimizer.Dispose();
        Assert.ThrowsAny<InvalidOperationException>(() => run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
        Assert.All(run.Weights(), weight => Assert.True(float.IsFinite(weight)));
        Assert.Equal(7, run.Losses.Count);
        Assert.Equal(weights.Length, run.Weights().Length);
    }

    [Theory]
    [InlineData(HybridFheMode.Torch)]
    [InlineData(HybridFheMode.Disable)]
    [InlineData(HybridFheMode.Execute)]
    public void A_model_with_running_statistics_is_compiled_trained_and_taken_back_after_an_exception(HybridFheMode mode)
    {
        static (float[] Mean, double[] Losses) Train(HybridFheMode mode, int failAt)
        {
            var calls = 0;
            manual_seed(8);
            using var model = LoraModel.Apply(new NormalizedMlp(), new LoraConfig { R = 2, TargetModules = ["fc1", "fc2"] }, seed: 1);
            using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
            using var trainer = new LoraTrainer(
                model, optimizer, (logits, labels) => ++calls == failAt ? throw new TimeoutException() : nn.functional.mse_loss(logits, labels),
                trainingArgs: new TrainingArguments { GradientAccumulationSteps = 2 }, logger: new RecordingLogger());
            using Batch batch = (randn(6, 4), randn(6, 2));
            if (mode != HybridFheMode.Torch)
            {
                trainer.Compile(batch, cancellationToken: Cancellation.Token);
            }

            calls = 0;
            if (failAt > 0)
            {
                Assert.Throws<TimeoutException>(() => trainer.Train([batch, batch, batch, batch], 1, mode, cancellationToken: Cancellation.Token));
            }

            trainer.Train([batch, batch, batch, batch], 1, mode, cancellationToken: Cancellation.Token);
            var mean = model.named_buffers().Single(entry => entry.name.EndsWith("running_mean", StringComparison.Ordinal)).buffer;
            return (mean.data<float>().ToArray(), [.. trainer.GetTrainingLosses()]);
        }

        var whole = Train(mode, failAt: 0);
        var fallen = Train(mode, failAt: 4);
        Assert.Equal(4, whole.Losses.Length);
        if (mode == HybridFheMode.Execute)
        {
            Assert.All(whole.Losses.Zip(fallen.Losses), pair => Assert.Equal(pair.First, pair.Second, 1e-2));
            return;
        }

        Assert.Equal(whole.Losses, fallen.Losses);
        Assert.Equal(whole.Mean, fallen.Mean);
    }

    private static void AssertEndsAsIfNothingHadHappened(SmallRun run)
    {
        run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
        using var whole = new SmallRun(dropout: 0);
        whole.Trainer.Train(whole.Loader, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
        Assert.Equal(whole.Losses, run.Losses);
        Assert.Equal(whole.Weights(), run.Weights());
    }

    private static string[] Names(nn.Module model) => [.. model.named_modules().Select(entry => $"{entry.name} {entry.module.GetType().Name}")];

    private static Tensor Broken(string returns, Tensor logits)
    {
        var loss = logits.sum();
        switch (returns)
        {
            case "null":
                return null!;
            case "disposed":
                loss.Dispose();
                return loss;
            case "no gradient":
                using (no_grad())
                {
                    return logits.sum();
                }

            case "differentiated already":
                loss.backward();
                return loss;
            default:
                return returns switch
                {
                    "a row" => logits.sum(1),
                    "the logits" => logits,
                    "nothing" => logits.narrow(0, 0, 0),
                    "complex" => loss.to(ScalarType.ComplexFloat32),
                    "an integer" => loss.to(ScalarType.Int64),
                    "detached" => loss.detach(),
                    "not a number" => loss * float.NaN,
                    "infinite" => loss * float.PositiveInfinity,
                    "wrong shapes" => (logits + ones(7, 7)).sum(),
                    _ => throw new ArgumentOutOfRangeException(nameof(returns), returns, null),
                };
        }
    }
}
