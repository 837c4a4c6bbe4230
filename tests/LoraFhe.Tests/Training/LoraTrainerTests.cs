using LoraFhe.Fixtures;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;
using static TorchSharp.torch.optim.lr_scheduler;

namespace LoraFhe.Tests.Training;

/// <summary>The trainer's defaults, refusals and defects mended; the reference's own tests are in Parity.</summary>
public sealed class LoraTrainerTests
{
    [Fact]
    public void The_schedule_is_stepped_once_an_update()
    {
        using var run = new SmallRun();
        using var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 1, TargetModules = ["fc2"] });
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        var schedule = new CountingSchedule(optimizer);
        using var trainer = new LoraTrainer(
            model, optimizer, (logits, labels) => nn.functional.cross_entropy(logits, labels), schedule,
            new TrainingArguments { GradientAccumulationSteps = 3, MaxGradNorm = 1.0 }, logger: new RecordingLogger());
        var made = schedule.Steps;
        trainer.Train(run.Loader, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
        Assert.Equal(3, schedule.Steps - made);
    }

    [Fact]
    public void An_optimizer_over_all_parameters_leaves_the_frozen_ones_as_they_were()
    {
        using var run = new SmallRun(optimizer: model => optim.Adam(model.parameters().ToList(), 0.01));
        float[] Frozen() => [.. run.Model.parameters().Where(parameter => !parameter.requires_grad).SelectMany(parameter => parameter.data<float>().ToArray())];
        var (frozen, trained) = (Frozen(), run.Weights());
        run.Train(HybridFheMode.Execute, 1);
        Assert.Equal(frozen, Frozen());
        Assert.NotEqual(trained, run.Weights());
    }

    [Fact]
    public void Defaults_are_the_references()
    {
        using var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 1, TargetModules = ["fc2"] });
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        using var trainer = new LoraTrainer(model, optimizer, (logits, _) => logits.sum(), logger: new RecordingLogger());
        Assert.Equal((1, 10, 1), (trainer.LoggingSteps, trainer.EvalSteps, trainer.GradientAccumulationSteps));
        Assert.Null(trainer.MaxGradNorm);
        Assert.Null(trainer.CheckpointDir);
        Assert.Equal(LossScaling.Window, trainer.TrainingArguments.LossScaling);
        Assert.Equal("in-process", trainer.HybridModel.Backend.Name);
        Assert.Equal("inference_model.base_model.model.fc1", trainer.RemoteNames[0]);
        Assert.Equal("inference_model.base_model.model.fc2.base_layer.forward_module", trainer.RemoteNames[1]);
    }

    [Fact]
    public void All_faults_of_the_training_arguments_are_named_at_once()
    {
        using var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 1, TargetModules = ["fc2"] });
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        var error = Assert.Throws<ArgumentException>(() => new LoraTrainer(
            model, optimizer, (logits, _) => logits.sum(),
            trainingArgs: new TrainingArguments { GradientAccumulationSteps = 0, MaxGradNorm = -1, LossScaling = (LossScaling)9 }, logger: new RecordingLogger()));
        Assert.Contains("GradientAccumulationSteps is 0", error.Message, StringComparison.Ordinal);
        Assert.Contains("MaxGradNorm is -1", error.Message, StringComparison.Ordinal);
        Assert.Contains("LossScaling is 9, which is none of its values; expected one of Window, Full, Tokens, TokensUnshifted.", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>("loggingSteps", () => new LoraTrainer(model, optimizer, (logits, _) => logits.sum(), loggingSteps: 0));
        Assert.Throws<ArgumentOutOfRangeException>("evalSteps", () => new LoraTrainer(model, optimizer, (logits, _) => logits.sum(), evalSteps: 0));
    }

    [Fact]
    public void No_epochs_and_no_batches_are_errors_that_name_the_argument()
    {
        using var run = new SmallRun();
        Assert.Throws<ArgumentOutOfRangeException>("numEpochs", () => run.Trainer.Train(run.Loader, 0, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
        var empty = Assert.Throws<ArgumentException>(() => run.Trainer.Train(Array.Empty<Batch>(), 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
        Assert.Contains("'trainLoader' has no batches", empty.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mode_that_needs_compilation_says_so()
    {
        using var run = new SmallRun();
        var error = Assert.Throws<InvalidOperationException>(() => run.Trainer.Train(run.Loader, 1, cancellationToken: Cancellation.Token));
        Assert.Contains("simulate", error.Message, StringComparison.Ordinal);
        Assert.Contains("Compile", error.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Compile_leaves_no_trace()
    {
        using var run = new SmallRun();
        using var before = random.get_rng_state();
        var batch = run.Inputset;
        run.Trainer.Compile(batch, cancellationToken: Cancellation.Token);
        using var after = random.get_rng_state();
        Assert.True(before.eq(after).all().item<bool>());
        Assert.All(run.Model.parameters(), parameter => Assert.Null(parameter.grad));
        Assert.Equal(["x", "labels"], batch.Keys);
        Assert.Empty(run.Losses);
        batch.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_number_of_skipped_layers_compiles_and_gives_the_gradients_of_the_others(int skip)
    {
        static float[] Train(int skip)
        {
            manual_seed(5);
            using var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 2, InitLoraWeights = InitLoraWeights.Gaussian, TargetModules = ["fc1", "fc2", "fc3"] }, seed: 3);
            using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
            using var trainer = new LoraTrainer(
                model, optimizer, (logits, labels) => nn.functional.cross_entropy(logits, labels), nLayersToSkipForBackprop: skip, logger: new RecordingLogger());
            Batch batch = (randn(4, 6), randint(0, 3, [4]));
            trainer.Compile(batch, cancellationToken: Cancellation.Token);
            trainer.Train([batch, batch], 1, HybridFheMode.Disable, cancellationToken: Cancellation.Token);
            using var scope = NewDisposeScope();
            return [.. model.TrainableParameters().SelectMany(parameter => parameter.detach().data<float>().ToArray())];
        }

        Assert.Equal(Train(1), Train(skip));
    }

    [Fact]
    public void Evaluation_runs_in_eval_mode_without_a_graph_and_training_goes_on_in_train_mode()
    {
        var seen = new List<(bool, bool)>();
        using var run = new SmallRun(evalSteps: 2, evalMetricFn: (model, loader) =>
        {
            seen.Add((model.training, is_grad_enabled()));
            return Metrics.Perplexity(model, loader);
        });
        run.Train(HybridFheMode.Torch, 1);
        Assert.Equal([(false, false), (false, false), (false, false)], seen);
        Assert.True(run.Model.training);
        Assert.Contains(run.Logger.Lines, line => line.StartsWith("[Evaluation at step 2] eval_loss: ", StringComparison.Ordinal));
    }

    [Fact]
    public void That_there_is_no_evaluation_is_said_once()
    {
        using var run = new SmallRun(evalSteps: 1);
        run.Train(HybridFheMode.Torch, 2);
        Assert.Single(run.Logger.Lines, "No evaluation data or metric function provided.");
    }

    [Fact]
    public void Gradient_statistics_have_an_entry_a_logged_step_and_cover_what_is_trained_only()
    {
        using var run = new SmallRun(arguments: new TrainingArguments { GradientAccumulationSteps = 3 });
        run.Train(HybridFheMode.Torch, 1);
        var stats = run.Trainer.GetGradientStats();
        Assert.Equal(6, stats.Count);
        Assert.All(stats, entry =>
        {
            Assert.Contains(".lora_", entry.Key, StringComparison.Ordinal);
            Assert.Equal(7, entry.Value.Count);
            Assert.Equal(entry.Value[0], entry.Value[2]);
        });
    }

    [Fact]
    public void Each_update_is_told_with_its_loss_its_norm_before_clipping_and_the_rate_it_was_made_with()
    {
        using var run = new SmallRun(arguments: new TrainingArguments { GradientAccumulationSteps = 3, MaxGradNorm = 1e-3 }, loggingSteps: 7);
        var (told, rates) = (new List<TrainingProgress>(), new List<double>());
        run.Train(HybridFheMode.Torch, 1, new ImmediateProgress<TrainingProgress>(done =>
        {
            told.Add(done);
            rates.Add(run.Optimizer.ParamGroups.Single().LearningRate);
        }));

        Assert.Equal([3, 6, 7], told.Where(done => done.Update is not null).Select(done => done.GlobalStep));
        Assert.Equal(run.Losses.Take(3).Average(), told[2].Update!.Value.Loss, 1e-12);
        Assert.Equal(run.Losses[6], told[6].Update!.Value.Loss, 1e-12);

        // The rate rises from 0; a norm is told of every update, though the statistics keep the logged ones only.
        Assert.Equal([0, rates[2], rates[5]], told.Where(done => done.Update is not null).Select(done => done.Update!.Value.LearningRate));
        Assert.All(told, done => Assert.False(done.Update?.GradientNorm <= 1e-2));
        Assert.Equal(Math.Sqrt(run.Trainer.GradientStats.Values.Sum(norms => norms.Single() * norms.Single())), told[6].Update!.Value.GradientNorm, 1e-12);
    }

    [Fact]
    public void After_a_finished_run_the_count_starts_again()
    {
        using var run = new SmallRun();
        var steps = new List<int>();
        var progress = new ImmediateProgress<TrainingProgress>(done => steps.Add(done.GlobalStep));
        run.Trainer.Train([run.Inputset], 1, HybridFheMode.Torch, progress: progress, cancellationToken: Cancellation.Token);
        run.Trainer.Train([run.Inputset], 1, HybridFheMode.Torch, progress: progress, cancellationToken: Cancellation.Token);
        Assert.Equal([1, 1], steps);
        Assert.Equal(2, run.Losses.Count);
    }

    [Fact]
    public void A_stop_before_the_first_step_trains_nothing()
    {
        using var run = new SmallRun();
        Assert.Throws<OperationCanceledException>(() => run.Trainer.Train(run.Loader, 1, HybridFheMode.Torch, cancellationToken: new CancellationToken(canceled: true)));
        Assert.Empty(run.Losses);
    }

    [Fact]
    public void Saving_private_information_asks_for_compilation_before_it_touches_anything()
    {
        using var folder = new TemporaryFolder();
        using var run = new SmallRun();
        Assert.Throws<InvalidOperationException>(() => run.Trainer.SaveAndClearPrivateInfo(folder.At("deployment")));
        Assert.False(Directory.Exists(folder.At("deployment")));
        run.Train(HybridFheMode.Torch, 1);

        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        run.Trainer.SaveAndClearPrivateInfo(folder.At("deployment"));
        Assert.True(Directory.Exists(folder.At("deployment/client")));
        Assert.True(Directory.Exists(folder.At("deployment/server")));
        Assert.Contains($"Model saved at {folder.At("deployment")}", run.Logger.Lines);
    }

    [Fact]
    public void The_log_file_is_the_trainers_own()
    {
        using var folder = new TemporaryFolder();
        using var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 1, TargetModules = ["fc2"] });
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        using (var trainer = new LoraTrainer(model, optimizer, (logits, labels) => nn.functional.mse_loss(logits, labels), trainLogPath: folder.At("training.log")))
        {
            trainer.Train([(randn(2, 6), randn(2, 3))], 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
        }

        var lines = File.ReadAllLines(folder.At("training.log"));
        Assert.EndsWith(" - INFO - === Starting new training session ===", lines[0], StringComparison.Ordinal);
        Assert.Matches(@" - INFO - Step 1: loss=\d+\.\d{6}, avg_loss=\d+\.\d{6}$", lines[2]);
        Assert.Matches(@" - INFO - Average gradient magnitude: \d+\.\d{6}$", lines[3]);
        Assert.Matches(@" - INFO - Epoch 1 completed. Avg Loss: \d+\.\d{6}, FHE Mode: torch$", lines[4]);
        Assert.Matches(@" - INFO - Training completed. Final Avg Loss: \d+\.\d{6}, FHE Mode: torch$", lines[5]);
        Assert.Equal(6, lines.Length);
    }

    [Fact]
    public void A_run_in_execute_tells_what_part_of_the_masks_hid_padding()
    {
        var logger = new RecordingLogger { Least = LogLevel.Debug };
        using var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 1, TargetModules = ["fc2"] });
        using var optimizer = optim.SGD(model.TrainableParameters(), 0.1);
        using var trainer = new LoraTrainer(model, optimizer, (logits, labels) => nn.functional.mse_loss(logits, labels), logger: logger);
        var data = new Batch(randn(16, 6), randn(16, 3));
        trainer.Compile(data, cancellationToken: Cancellation.Token);

        trainer.Train([data], 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
        Assert.DoesNotContain(logger.Lines, line => line.Contains("padding", StringComparison.Ordinal));

        // 16 rows of the 64 that the smallest group holds.
        trainer.Train([data], 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token);
        Assert.Equal("75.0 % of the encryption's masks so far hid padding.", logger.Lines[^2]);
    }

    [Fact]
    public void A_stop_is_logged_as_a_warning()
    {
        using var run = new SmallRun();
        run.TrainUntil(2, HybridFheMode.Torch, 2);
        Assert.Equal("Training stopped on request after step 2.", run.Logger.Lines[^1]);
        Assert.Equal(LogLevel.Warning, run.Logger.Kinds[^1].Level);
    }

    private sealed class CountingSchedule(optim.Optimizer optimizer) : LRScheduler(optimizer)
    {
        public int Steps => _step_count;
    }
}
