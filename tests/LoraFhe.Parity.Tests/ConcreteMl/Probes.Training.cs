using LoraFhe.Fixtures;
using LoraFhe.Tests;
using LoraFhe.Tests.Training;
using static TorchSharp.torch;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <content>The trainer's arguments and states.</content>
internal static partial class Probes
{
    private const string Bare = "an uncompiled model: a bare `AssertionError`";
    private const string Obscure = "no epochs, an empty loader, accumulation 0: obscure exceptions";

    private static Dictionary<string, Probe> Trainers => new()
    {
        ["use_cpu False"] = Probe.Mended("`training_args` is a dictionary", _ => Assert.Equal(
            ["GradientAccumulationSteps", "LossScaling", "MaxGradNorm"], typeof(TrainingArguments).GetProperties().Select(property => property.Name).Where(name => name != "EqualityContract").Order())),
        ["use_cpu True ok; attributes"] = Probe.Kept(recorded =>
        {
            var returns = recorded["returns"];
            using var dummy = Dummy();
            var trainer = dummy.Trainer;
            Assert.Equal(returns["gradient_accumulation_steps"].AsInt32, trainer.GradientAccumulationSteps);
            Assert.True(returns["max_grad_norm"].IsNull);
            Assert.Null(trainer.MaxGradNorm);
            Assert.Equal(returns["logging_steps"].AsInt32, trainer.LoggingSteps);
            Assert.Equal(returns["eval_steps"].AsInt32, trainer.EvalSteps);
            Assert.Equal(returns["training_losses"].AsDoubles, trainer.TrainingLosses);
            Assert.Equal(returns["gradient_stats"].Members.Count(), trainer.GradientStats.Count);
            Assert.Equal(returns["remote_names"].AsStrings, trainer.RemoteNames);
            Assert.True(returns["checkpoint_dir"].IsNull);
            Assert.Null(trainer.CheckpointDir);
        }),
        ["train disable before compile"] = Probe.Mended(Bare, _ => AssertNeedsCompilation(HybridFheMode.Disable)),
        ["train default fhe before compile"] = Probe.Mended(Bare, _ =>
        {
            var byDefault = typeof(LoraTrainer).GetMethods().Where(method => method.Name == nameof(LoraTrainer.Train)).Select(method => method.GetParameters()[2].DefaultValue);
            Assert.All(byDefault, mode => Assert.Equal((int)HybridFheMode.Simulate, (int)mode!));
            AssertNeedsCompilation(HybridFheMode.Simulate);
        }),
        ["train unknown fhe"] = Probe.Kept(recorded =>
        {
            AssertSays(FirstArgument(recorded).Replace("HybridFHEMode", "HybridFheMode", StringComparison.Ordinal), Assert.Throws<ArgumentException>(() => HybridFheModes.Parse("foo")));
            using var dummy = Dummy();
            Assert.Throws<ArgumentOutOfRangeException>(() => Train(dummy.Trainer, [Pair()], mode: (HybridFheMode)9));
        }),
        ["train num_epochs 0"] = Probe.Mended(Obscure, _ =>
        {
            using var dummy = Dummy();
            Assert.Throws<ArgumentOutOfRangeException>("numEpochs", () => Train(dummy.Trainer, [Pair()], epochs: 0));
        }),
        ["train empty loader"] = Probe.Mended(Obscure, _ =>
        {
            using var dummy = Dummy();
            AssertSays("'trainLoader' has no batches", Assert.Throws<ArgumentException>(() => Train(dummy.Trainer, Array.Empty<Batch>())));
        }),
        ["train generator loader (no len)"] = Probe.Mended(Obscure, _ =>
        {
            using var dummy = Dummy();
            Train(dummy.Trainer, Generated(3), epochs: 2);
            Assert.Equal(6, dummy.Trainer.GetTrainingLosses().Count);
        }),
        ["train gradient_accumulation_steps 0"] = Probe.Mended(Obscure, _ =>
        {
            using var model = new DummyLoraModel();
            using var optimizer = optim.SGD([model.LoraA], 0.01);
            var error = Assert.Throws<ArgumentException>(() => new LoraTrainer(model, optimizer, trainingArgs: new TrainingArguments { GradientAccumulationSteps = 0 }, logger: new RecordingLogger()));
            AssertSays("GradientAccumulationSteps is 0; it must be at least 1", error);
        }),
        ["train returns"] = Probe.Kept(_ => Assert.All(
            typeof(LoraTrainer).GetMethods().Where(method => method.Name == nameof(LoraTrainer.Train)), method => Assert.Equal(typeof(void), method.ReturnType))),
        ["load_checkpoint missing"] = Probe.Kept(recorded =>
        {
            using var folder = new TemporaryFolder();
            using var dummy = Dummy();
            var error = Assert.Throws<FileNotFoundException>(() => dummy.Trainer.LoadCheckpoint(folder.At("nope.safetensors")));
            AssertSays(FirstArgument(recorded).Replace("nope.pth", folder.At("nope.safetensors"), StringComparison.Ordinal), error);
        }),
        ["save_checkpoint without dir"] = Probe.Kept(recorded =>
        {
            using var dummy = Dummy();
            AssertSays(FirstArgument(recorded), Assert.Throws<InvalidOperationException>(() => dummy.Trainer.SaveCheckpoint(1, 1)));
        }),
        ["simulate with only large layers"] = Probe.Mended("`simulate` fails for models of large layers only", _ =>
        {
            using var dummy = Dummy(width: 512);
            dummy.Trainer.Compile(Pair(width: 512), cancellationToken: Cancellation.Token);
            Train(dummy.Trainer, [Pair(width: 512)], mode: HybridFheMode.Simulate);
            Assert.Single(dummy.Trainer.GetTrainingLosses());
        }),
        ["compile pops labels from the caller's dict when loss_fn is set"] = Probe.Mended(Pops, recorded =>
        {
            using var dummy = Dummy((logits, labels) => Mse(logits, labels));
            using var batch = Pair();
            dummy.Trainer.Compile(batch, cancellationToken: Cancellation.Token);
            Assert.Equal([.. recorded["returns"].AsStrings, "labels"], batch.Keys);
        }),
    };

    private static void AssertNeedsCompilation(HybridFheMode mode)
    {
        using var dummy = Dummy();
        var error = Assert.Throws<InvalidOperationException>(() => Train(dummy.Trainer, [Pair()], mode: mode));
        Assert.Equal($"'{mode.ToPythonName()}' needs a compiled model. Call Compile first, or CompileModel without a trainer.", error.Message);
        Assert.Empty(dummy.Trainer.GetTrainingLosses());
    }

    private static IEnumerable<Batch> Generated(int count)
    {
        for (var i = 0; i < count; i++)
        {
            yield return Pair();
        }
    }
}
