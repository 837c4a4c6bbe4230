using LoraFhe.Fixtures;
using LoraFhe.Tests;
using LoraFhe.Tests.Training;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <content>What a run leaves: logs, checkpoints, statistics, evaluations.</content>
internal static partial class Probes
{
    private static Dictionary<string, Probe> Records => new()
    {
        ["latest checkpoint is by string order; train() always restarts at epoch 1"] = Probe.Mended("the latest checkpoint is found by name order", recorded =>
        {
            var returns = recorded["returns"];
            using var folder = new TemporaryFolder();
            Batch[] data = [Pair(), Pair()];
            using (var first = Dummy(checkpointDir: folder.Path))
            {
                Train(first.Trainer, data, epochs: 11);
            }

            Assert.Equal(returns["files"].AsStrings.Select(file => Path.ChangeExtension(file, ".safetensors")), folder.Names());
            using var second = Dummy(checkpointDir: folder.Path);
            Assert.Equal([9, 18], returns["compile_after_11_epochs_loads"].AsInt32s);
            Assert.Equal((11, 22), second.Trainer.Compile(data[0], cancellationToken: Cancellation.Token));
            Assert.Equal(22, second.Trainer.GetTrainingLosses().Count);

            // Three epochs are done already: the number is the total's, and the count goes on.
            Train(second.Trainer, data, epochs: 12);
            Assert.Equal(24, second.Trainer.GetTrainingLosses().Count);
            Assert.Contains("checkpoint_epoch_12.safetensors", folder.Names());
        }),
        ["two trainers share one logger"] = Probe.Mended("one logger for the process", recorded =>
        {
            using var folder = new TemporaryFolder();
            using (var a = WithFile(folder.At("a.log")))
            using (var b = WithFile(folder.At("b.log")))
            {
                Train(a.Trainer, [Pair()]);
                Assert.NotSame(a.Trainer.Logger, b.Trainer.Logger);
            }

            var returns = recorded["returns"];
            var shared = RecordedLog.Messages(returns["b"].AsString).ToList();
            shared.Insert(1, "No evaluation data or metric function provided.");
            Assert.Equal(shared.Select(WithoutNumbers), Written(folder.At("a.log")));
            Assert.Equal(RecordedLog.Messages(returns["a"].AsString), Written(folder.At("b.log")));
        }),
        ["gpt2 skip 1 torch: the skipped Conv1D became a trainable Linear whose grad is never zeroed"] = Probe.Mended("a skipped Conv1D becomes a trainable Linear", recorded =>
        {
            using var run = new TrainerOf<LoraModel>(
                LoraModel.Apply(nn.Sequential(("c_attn", new Conv1D(10, 10)), ("c_proj", new Conv1D(10, 10))), new LoraConfig { R = 2, TargetModules = ["c_attn"] }),
                model => optim.SGD(model.TrainableParameters(), 0.1),
                (model, optimizer) => new LoraTrainer(model, optimizer, Mse, logger: new RecordingLogger()));
            Train(run.Trainer, [Pair(), Pair(), Pair()]);

            var adapters = recorded["returns"].Members.Select(entry => entry.Name[entry.Name.IndexOf("c_attn", StringComparison.Ordinal)..]).Where(name => name.Contains("lora_", StringComparison.Ordinal));
            Assert.Equal(adapters.Select(name => "inference_model.base_model.model." + name), run.Trainer.GetGradientStats().Keys);
            Assert.All(run.Trainer.GetGradientStats(), entry => Assert.Equal(3, entry.Value.Count));
        }),
        ["params outside the optimizer keep the gradient of compile()'s calibration pass (disable mode)"] = Probe.Mended("calibration leaves gradients behind", recorded =>
        {
            using var dummy = Dummy();
            dummy.Trainer.Compile(Pair(), cancellationToken: Cancellation.Token);
            Assert.All(dummy.Trainer.LoraTrainingModule.parameters(), parameter => Assert.Null(parameter.grad));
            Train(dummy.Trainer, [Pair(), Pair(), Pair()], mode: HybridFheMode.Disable);
            Assert.Empty(recorded["returns"].Members.Select(entry => entry.Name).Intersect(dummy.Trainer.GetGradientStats().Keys));
            Assert.Equal(["inference_model.lora_a"], dummy.Trainer.GetGradientStats().Keys);
        }),
        ["evaluation at multiples of eval_steps of the global step, before the optimizer step"] = Probe.Mended("evaluation builds a graph", recorded =>
        {
            var seen = new List<(bool Training, bool Gradients)>();
            var logger = new RecordingLogger();
            using var dummy = Dummy(logger: logger, evalLoader: [Pair()], evalSteps: 2, evalMetricFn: (model, _) =>
            {
                seen.Add((model.training, is_grad_enabled()));
                return new Dictionary<string, double> { ["a"] = 1.23456, ["b"] = 2 };
            });
            Train(dummy.Trainer, [.. Enumerable.Range(0, 5).Select(_ => Pair())], epochs: 2);

            var returns = recorded["returns"];
            Assert.Equal(returns["seen"].Items.Select(pair => (pair[0].AsBoolean, false)), seen);
            AssertLog(returns["log"], logger);
        }),
        ["eval_loader empty list is treated as absent"] = Probe.Mended("\"No evaluation data…\" every `eval_steps`", recorded =>
        {
            var logger = new RecordingLogger();
            using var dummy = Dummy(logger: logger, evalLoader: [], evalSteps: 1, evalMetricFn: (_, _) => throw new InvalidOperationException("There is nothing to evaluate."));
            Train(dummy.Trainer, [Pair(), Pair()]);

            const string nothing = "No evaluation data or metric function provided.";
            var expected = RecordedLog.Messages(recorded["returns"].AsString).Where(line => line != nothing).ToList();
            expected.Insert(1, nothing);
            Assert.Equal(expected.Select(WithoutNumbers), logger.Lines.Select(WithoutNumbers));
        }),
    };

    private static TrainerOf<DummyLoraModel> WithFile(string path) =>
        new(new DummyLoraModel(), model => optim.SGD([model.LoraA], 0.01), (model, optimizer) => new LoraTrainer(model, optimizer, trainLogPath: path));

    private static IEnumerable<string> Written(string path) => RecordedLog.Messages(File.ReadAllText(path)).Select(WithoutNumbers);
}
