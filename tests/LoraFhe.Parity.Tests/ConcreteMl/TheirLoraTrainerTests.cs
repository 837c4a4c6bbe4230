using LoraFhe.Fixtures;
using LoraFhe.Tests;
using LoraFhe.Tests.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.optim.lr_scheduler;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>The reference's tests of its LoraTrainer, each under its own name (<c>tests/torch/test_lora.py</c> of Concrete ML 1.9.0).</summary>
public sealed class TheirLoraTrainerTests
{
    // Theirs are disable and execute; simulate, which theirs cannot do for the wide layers, is added.
    public static TheoryData<int, bool, HybridFheMode, bool> TrainingCases()
    {
        var cases = new TheoryData<int, bool, HybridFheMode, bool>();
        foreach (var width in new[] { 10, 512 })
        {
            foreach (var dynamic in new[] { true, false })
            {
                foreach (var mode in new[] { HybridFheMode.Disable, HybridFheMode.Simulate, HybridFheMode.Execute })
                {
                    cases.Add(width, dynamic, mode, true);
                    cases.Add(width, dynamic, mode, false);
                }
            }
        }

        return cases;
    }

    [Fact]
    public void Lora_trainer_init()
    {
        using var dummy = Dummy();
        Assert.Same(dummy.Model, dummy.Trainer.LoraTrainingModule.InferenceModel);
        Assert.Same(dummy.Trainer.LoraTrainingModule, dummy.Trainer.HybridModel.Model);
    }

    [Theory]
    [MemberData(nameof(TrainingCases))]
    public void Lora_trainer_train(int width, bool dynamic, HybridFheMode mode, bool threeDimensional)
    {
        using var dummy = Dummy(width, new TrainingArguments { GradientAccumulationSteps = 1, MaxGradNorm = 1.0 });
        long[] shape = threeDimensional ? [2, 5, width] : [2, width];
        using Batch inputset = (randn(shape), randn(shape));
        dummy.Trainer.Compile(inputset, useDynamicQuantization: dynamic, cancellationToken: Cancellation.Token);
        using var before = dummy.Model.LoraA.clone();

        shape[0] = 1;
        dummy.Trainer.Train([(randn(shape), randn(shape)), (randn(shape), randn(shape))], 1, mode, cancellationToken: Cancellation.Token);

        Assert.Equal(2, dummy.Trainer.GetTrainingLosses().Count);
        Assert.All(dummy.Trainer.GetTrainingLosses(), loss => Assert.True(double.IsFinite(loss)));
        Assert.False(before.allclose(dummy.Model.LoraA, 0, 0));
    }

    [Fact]
    public void Lora_trainer_train_with_lr_scheduler()
    {
        CountingSchedule? schedule = null;
        using var dummy = new TrainerOf<DummyLoraModel>(new DummyLoraModel(), Sgd, (model, optimizer) => new LoraTrainer(
            model, optimizer, lrScheduler: schedule = new CountingSchedule(optimizer), trainingArgs: new TrainingArguments { MaxGradNorm = 1.0 }, logger: new RecordingLogger()));
        var made = schedule!.Steps;
        dummy.Trainer.Train([Pair(), Pair()], 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
        Assert.Equal(2, schedule.Steps - made);
    }

    [Fact]
    public void Lora_trainer_save_and_clear_private_info()
    {
        // The path goes on to the hybrid model as it is: both folders lie under it.
        using var folder = new TemporaryFolder();
        using var dummy = Dummy();
        dummy.Trainer.Compile(Pair(), cancellationToken: Cancellation.Token);
        dummy.Trainer.SaveAndClearPrivateInfo(folder.At("path/to/model"));
        Assert.Equal(["client", "server"], Directory.GetDirectories(folder.At("path/to/model")).Select(path => Path.GetFileName(path)!).Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Lora_trainer_train_with_various_batch_types(bool hasLoss)
    {
        using var dummy = new TrainerOf<DummyLoraModel>(new DummyLoraModel(), Sgd, (model, optimizer) => new LoraTrainer(
            model, optimizer, hasLoss ? (logits, labels) => nn.functional.mse_loss(logits, labels) : null, logger: new RecordingLogger()));
        dummy.Trainer.Compile(new Dictionary<string, Tensor> { ["x"] = randn(1, 5, 10), ["labels"] = randn(1, 5, 10) }, nBits: 8, cancellationToken: Cancellation.Token);

        List<Dictionary<string, Tensor>> dictionaries = [new() { ["x"] = randn(1, 5, 10), ["labels"] = randn(1, 5, 10) }, new() { ["x"] = randn(1, 5, 10), ["labels"] = randn(1, 5, 10) }];
        dummy.Trainer.Train(dictionaries, 1, HybridFheMode.Disable, cancellationToken: Cancellation.Token);
        dummy.Trainer.Train(dictionaries.Select(entry => new Batch(entry)), 1, HybridFheMode.Disable, cancellationToken: Cancellation.Token);

        // Theirs gives pairs only where there is no loss function: with one, the labels would land in the model.
        dummy.Trainer.Train([(randn(1, 5, 10), randn(1, 5, 10)), (randn(1, 5, 10), randn(1, 5, 10))], 1, HybridFheMode.Disable, cancellationToken: Cancellation.Token);
        dummy.Trainer.Train([new[] { randn(1, 5, 10), randn(1, 5, 10) }, [randn(1, 5, 10), randn(1, 5, 10)]], 1, HybridFheMode.Disable, cancellationToken: Cancellation.Token);
        Assert.Equal(8, dummy.Trainer.GetTrainingLosses().Count);
    }

    [Fact]
    public void Lora_trainer_inference_keygen()
    {
        using var dummy = Dummy(512);
        using Batch batch = (randn(5, 512), randn(5, 512));
        dummy.Trainer.Compile(batch, cancellationToken: Cancellation.Token);
        using var loss = dummy.Trainer.HybridModel.Forward<Batch, (Tensor Loss, Tensor? Unused)>(batch, HybridFheMode.Execute).Loss;
        Assert.True(float.IsFinite(loss.item<float>()));
        Assert.True(dummy.Trainer.HybridModel.Backend.Traffic.Calls > 0);
    }

    [Fact]
    public void Lora_move_optimizer()
    {
        using var model = new DummyLoraModel();
        using var optimizer = optim.AdamW(model.parameters().ToList(), 0.01);
        for (var i = 0; i < 200; i++)
        {
            using var scope = NewDisposeScope();
            model.call(randn(5, 10), randn(5, 10)).Loss!.backward();
            optimizer.step();
        }

        Lora.OptimizerTo(optimizer, CPU);
        optimizer.step();
    }

    [Fact]
    public void Lora_trainer_train_with_gradient_accumulation()
    {
        using var dummy = Dummy(10, new TrainingArguments { GradientAccumulationSteps = 2, MaxGradNorm = 1.0 });
        dummy.Trainer.Train([Pair(), Pair(), Pair(), Pair()], 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
        Assert.Equal(4, dummy.Trainer.GetTrainingLosses().Count);
    }

    [Fact]
    public void Lora_train_mlp()
    {
        manual_seed(1);
        var (x, labels) = (randn(32, 2), randint(0, 2, [32]));
        using var run = new TrainerOf<LoraModel>(
            LoraModel.Apply(new TwoCircles(), new LoraConfig { R = 1, LoraAlpha = 1, LoraDropout = 0.01, TargetModules = ["fc1", "fc2"] }),
            model => optim.Adam(model.parameters().ToList(), 1e-3),
            (model, optimizer) => new LoraTrainer(model, optimizer, (outputs, targets) => nn.functional.cross_entropy(outputs, targets), logger: new RecordingLogger()));
        run.Trainer.Compile((x[..16], labels[..16]), nBits: 8, cancellationToken: Cancellation.Token);
        run.Trainer.Train([(x, labels)], fhe: HybridFheMode.Execute, cancellationToken: Cancellation.Token);
        Assert.True(double.IsFinite(Assert.Single(run.Trainer.GetTrainingLosses())));
    }

    [Fact]
    public void Checkpoint_saving_loading_and_resuming()
    {
        using var folder = new TemporaryFolder();
        var data = Enumerable.Range(0, 10).Select(_ => Pair(1)).ToList();
        using (var first = WithSchedule(folder.Path))
        {
            first.Trainer.Compile(Pair(), nBits: 8, cancellationToken: Cancellation.Token);
            first.Trainer.Train(data, 3, HybridFheMode.Disable, "cpu", cancellationToken: Cancellation.Token);
            Assert.Equal(["checkpoint_epoch_1.safetensors", "checkpoint_epoch_2.safetensors", "checkpoint_epoch_3.safetensors"], folder.Names());
            Assert.Equal(30, first.Trainer.GetTrainingLosses().Count);
            Assert.All(first.Trainer.GetGradientStats(), entry => Assert.Equal(30, entry.Value.Count));
            Assert.Throws<FileNotFoundException>(() => first.Trainer.LoadCheckpoint("non_existent_checkpoint.safetensors"));
        }

        using var resumed = WithSchedule(folder.Path);
        Assert.Equal((3, 30), resumed.Trainer.Compile(Pair(), nBits: 8, cancellationToken: Cancellation.Token));

        // Stepped once an update, thirty times in all.
        Assert.Equal(0.01 * Math.Pow(0.9, 30), resumed.Optimizer.ParamGroups.Single().LearningRate, 1e-9);
        resumed.Trainer.Train(data, 4, HybridFheMode.Disable, "cpu", cancellationToken: Cancellation.Token);
        Assert.Equal(40, resumed.Trainer.GetTrainingLosses().Count);
        Assert.All(resumed.Trainer.GetGradientStats(), entry => Assert.Equal(40, entry.Value.Count));
    }

    [Fact]
    public void Evaluation()
    {
        var calls = new List<int>();
        var training = new List<bool>();
        List<Batch> evaluation = [Pair(1), Pair(1), Pair(1)];
        using var dummy = new TrainerOf<DummyLoraModel>(new DummyLoraModel(), Sgd, (model, optimizer) => new LoraTrainer(
            model, optimizer, evalLoader: evaluation, evalSteps: 2, logger: new RecordingLogger(), evalMetricFn: (inner, loader) =>
            {
                calls.Add(calls.Count + 1);
                training.Add(inner.training);
                return new Dictionary<string, double> { ["eval_loss"] = loader.Average(batch => ((DummyLoraModel)inner).call(batch.Input!, batch.Labels).Loss!.item<float>()) };
            }));
        dummy.Trainer.Compile(Pair(), nBits: 8, cancellationToken: Cancellation.Token);
        dummy.Trainer.Train([Pair(), Pair(), Pair(), Pair(), Pair()], 1, HybridFheMode.Disable, cancellationToken: Cancellation.Token);
        Assert.Equal([1, 2], calls);
        Assert.Equal([false, false], training);
        Assert.True(dummy.Model.training);

        calls.Clear();
        using var without = Dummy();
        without.Trainer.Compile(Pair(), nBits: 8, cancellationToken: Cancellation.Token);
        without.Trainer.Train([Pair(), Pair(), Pair(), Pair(), Pair()], 1, HybridFheMode.Disable, cancellationToken: Cancellation.Token);
        Assert.Empty(calls);
    }

    private static SGD Sgd(DummyLoraModel model) => optim.SGD(model.parameters().ToList(), 0.01);

    private static TrainerOf<DummyLoraModel> Dummy(int width = 10, TrainingArguments? arguments = null) => new(
        new DummyLoraModel(width, width == 10 ? 20 : width), Sgd, (model, optimizer) => new LoraTrainer(model, optimizer, trainingArgs: arguments, logger: new RecordingLogger()));

    private static TrainerOf<DummyLoraModel> WithSchedule(string folder) => new(new DummyLoraModel(), Sgd, (model, optimizer) => new LoraTrainer(
        model, optimizer, lrScheduler: StepLR(optimizer, step_size: 1, gamma: 0.9), checkpointDir: folder, logger: new RecordingLogger()));

    private static Batch Pair(int rows = 5) => (randn(rows, 10), randn(rows, 10));

    private sealed class CountingSchedule(optim.Optimizer optimizer) : LRScheduler(optimizer)
    {
        public int Steps => _step_count;
    }

    private sealed class TwoCircles : nn.Module<Tensor, Tensor?, Tensor>
    {
        [TorchSharp.Utils.ComponentName(Name = "fc1")]
        private readonly nn.Module<Tensor, Tensor> _fc1 = nn.Linear(2, 128);

        [TorchSharp.Utils.ComponentName(Name = "fc2")]
        private readonly nn.Module<Tensor, Tensor> _fc2 = nn.Linear(128, 2);

        public TwoCircles()
            : base(nameof(TwoCircles)) => RegisterComponents();

        public override Tensor forward(Tensor x, Tensor? labels = null) => _fc2.call(nn.functional.relu(_fc1.call(x)));
    }
}
