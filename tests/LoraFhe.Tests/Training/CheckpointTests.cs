using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using static TorchSharp.torch;

namespace LoraFhe.Tests.Training;

public sealed class CheckpointTests
{
    [Fact]
    public void A_checkpoint_holds_the_adapters_and_no_frozen_weight()
    {
        using var folder = new TemporaryFolder();
        using var run = new SmallRun(folder.Path);
        run.Train(HybridFheMode.Torch, epochs: 1);
        using var file = SafetensorsFile.Open(folder.At("checkpoint_epoch_1.safetensors"));
        Assert.Equal(
            ["fc1.lora_A", "fc1.lora_B", "fc2.lora_A", "fc2.lora_B", "fc3.lora_A", "fc3.lora_B"],
            file.Entries.Select(entry => entry.Name).Where(name => name.StartsWith("model.", StringComparison.Ordinal))
                .Select(name => name.Replace("model.base_model.model.", "", StringComparison.Ordinal).Replace(".default.weight", "", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal));
        Assert.DoesNotContain(file.Entries, entry => entry.Name.Contains("base_layer", StringComparison.Ordinal));
    }

    [Fact]
    public void The_newest_checkpoint_is_the_one_with_the_highest_numbers()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in new[] { "checkpoint_epoch_9", "checkpoint_epoch_10", "checkpoint_epoch_10_step_99", "checkpoint_epoch_10_step_104", "checkpoint_epoch_2" })
        {
            File.WriteAllText(folder.At(name + ".safetensors"), "");
        }

        File.WriteAllText(folder.At(".checkpoint_epoch_11.safetensors.abc.tmp"), "");
        File.WriteAllText(folder.At("checkpoint_epoch_12.safetensors.bak"), "");
        Assert.Equal(folder.At("checkpoint_epoch_10_step_104.safetensors"), CheckpointFolder.Newest(folder.Path));
        Assert.Null(CheckpointFolder.Newest(folder.At("nowhere")));
    }

    [Fact]
    public void A_missing_checkpoint_is_named()
    {
        using var run = new SmallRun();
        var error = Assert.Throws<FileNotFoundException>(() => run.Trainer.LoadCheckpoint("nowhere/checkpoint_epoch_1.safetensors"));
        Assert.Contains("Checkpoint not found: nowhere/checkpoint_epoch_1.safetensors", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("cut")]
    [InlineData("flipped adapter")]
    [InlineData("flipped optimizer")]
    [InlineData("text")]
    public void A_damaged_checkpoint_is_one_error_that_names_it_and_changes_nothing(string damage)
    {
        using var folder = new TemporaryFolder();
        var path = Saved(folder);
        var bytes = File.ReadAllBytes(path);
        int Begin(string tensor)
        {
            using var file = SafetensorsFile.Open(path);
            return 8 + file.HeaderLength + (int)file.Entry(tensor).Begin;
        }

        switch (damage)
        {
            case "empty":
                bytes = [];
                break;
            case "cut":
                bytes = bytes[..^100];
                break;
            case "flipped adapter":
                bytes[Begin("model.base_model.model.fc1.lora_A.default.weight") + 5] ^= 0x40;
                break;
            case "flipped optimizer":
                bytes[Begin("optimizer") + 100] ^= 1;
                break;
            default:
                bytes = "not a checkpoint at all, but long enough to be looked at"u8.ToArray();
                break;
        }

        File.WriteAllBytes(path, bytes);
        AssertRefused(folder, path, "damaged");
    }

    [Fact]
    public void Another_librarys_file_is_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        var path = folder.At("checkpoint_epoch_1.safetensors");
        SafetensorsWriter.Write(path, [SafetensorsTensor.FromSingles("weight", [1], [1f])], new Dictionary<string, string> { ["format"] = "pt" });
        AssertRefused(folder, path, "is no checkpoint of LoraTrainer");
    }

    [Fact]
    public void A_later_versions_checkpoint_is_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        var path = Saved(folder);
        Rewrite(path, metadata => metadata["version"] = "2");
        AssertRefused(folder, path, "version 2");
    }

    [Fact]
    public void A_changed_position_is_noticed()
    {
        using var folder = new TemporaryFolder();
        var path = Saved(folder);
        Rewrite(path, metadata => metadata["state"] = metadata["state"].Replace("\"GlobalStep\":7", "\"GlobalStep\":8", StringComparison.Ordinal));
        AssertRefused(folder, path, "damaged");
    }

    [Fact]
    public void Another_optimizers_checkpoint_is_refused_and_changes_nothing()
    {
        using var folder = new TemporaryFolder();
        var path = Saved(folder);
        using var other = new SmallRun(folder.Path, adamW: false);
        var weights = other.Weights();
        var error = Assert.Throws<InvalidDataException>(() => other.Trainer.LoadCheckpoint(path));
        Assert.Contains("does not fit this SGD", error.Message, StringComparison.Ordinal);
        Assert.Equal(weights, other.Weights());
        other.Trainer.Train(other.Loader, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
    }

    [Fact]
    public void Another_models_checkpoint_is_refused_by_the_tensor_that_differs()
    {
        using var folder = new TemporaryFolder();
        var path = Saved(folder);
        using var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 3, TargetModules = ["fc1", "fc2", "fc3"] });
        using var optimizer = optim.AdamW(model.TrainableParameters());
        using var trainer = new LoraTrainer(model, optimizer, (logits, _) => logits.sum(), logger: new RecordingLogger());
        var error = Assert.Throws<InvalidDataException>(() => trainer.LoadCheckpoint(path));
        Assert.Contains("'base_model.model.fc1.lora_A.default.weight' is [2, 6]; the model needs [3, 6]", error.Message, StringComparison.Ordinal);

        using var fewer = LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 2, TargetModules = ["fc1", "fc2"] });
        using var fewerOptimizer = optim.AdamW(fewer.TrainableParameters());
        using var fewerTrainer = new LoraTrainer(fewer, fewerOptimizer, (logits, _) => logits.sum(), logger: new RecordingLogger());
        Assert.Contains("fc3", Assert.Throws<InvalidDataException>(() => fewerTrainer.LoadCheckpoint(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_is_saved_between_updates_only()
    {
        using var folder = new TemporaryFolder();
        using var run = new SmallRun(folder.Path);
        var refused = 0;
        var progress = new ImmediateProgress<TrainingProgress>(done =>
        {
            if (done.EpochStep % 2 == 1 && done.EpochStep < done.EpochSteps)
            {
                Assert.Throws<InvalidOperationException>(() => run.Trainer.SaveCheckpoint(done.Epoch - 1, done.GlobalStep));
                refused++;
            }
            else if (done.EpochStep == 2)
            {
                Assert.Equal(folder.At("checkpoint_epoch_0_step_2.safetensors"), run.Trainer.SaveCheckpoint(done.Epoch - 1, done.GlobalStep));
            }
        });
        run.Train(HybridFheMode.Torch, 1, progress);
        Assert.Equal(3, refused);
        Assert.Equal(["checkpoint_epoch_0_step_2.safetensors", "checkpoint_epoch_1.safetensors"], folder.Names());
    }

    [Fact]
    public void Without_a_folder_saving_is_an_error_that_says_so()
    {
        using var run = new SmallRun();
        Assert.Contains("Checkpoint directory is not set", Assert.Throws<InvalidOperationException>(() => run.Trainer.SaveCheckpoint(1, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fewer_batches_than_the_checkpoint_has_done_is_an_error()
    {
        using var folder = new TemporaryFolder();
        using (var first = new SmallRun(folder.Path))
        {
            first.TrainUntil(6, HybridFheMode.Torch, 1);
        }

        using var second = new SmallRun(folder.Path);
        second.Trainer.LoadCheckpoint(folder.At("checkpoint_epoch_0_step_6.safetensors"));
        var error = Assert.Throws<ArgumentException>(() => second.Trainer.Train(
            [second.Inputset, second.Inputset], 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token));
        Assert.Contains("after batch 6 of an epoch, but 'trainLoader' has 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_with_a_schedule_needs_one()
    {
        using var folder = new TemporaryFolder();
        var path = Saved(folder);
        using var model = LoraModel.Apply(new Mlp([6, 12, 10, 3]), new LoraConfig { R = 2, TargetModules = ["fc1", "fc2", "fc3"] });
        using var optimizer = optim.AdamW(model.TrainableParameters());
        using var trainer = new LoraTrainer(model, optimizer, (logits, _) => logits.sum(), logger: new RecordingLogger());
        Assert.Contains("learning rate schedule", Assert.Throws<InvalidDataException>(() => trainer.LoadCheckpoint(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_trainer_whose_schedule_is_further_on_refuses_to_go_back()
    {
        using var folder = new TemporaryFolder();
        using var run = new SmallRun(folder.Path);
        run.Train(HybridFheMode.Torch, 2);
        Assert.Throws<InvalidOperationException>(() => run.Trainer.LoadCheckpoint(folder.At("checkpoint_epoch_1.safetensors")));
        Assert.Equal((2, 14), run.Trainer.LoadCheckpoint(folder.At("checkpoint_epoch_2.safetensors")));
    }

    private static string Saved(TemporaryFolder folder)
    {
        using var run = new SmallRun(folder.Path);
        run.Train(HybridFheMode.Torch, epochs: 1);
        return folder.At("checkpoint_epoch_1.safetensors");
    }

    private static void Rewrite(string path, Action<Dictionary<string, string>> change)
    {
        List<SafetensorsTensor> tensors;
        Dictionary<string, string> metadata;
        using (var file = SafetensorsFile.Open(path))
        {
            metadata = new(file.Metadata);
            tensors = [.. file.Entries.Select(entry => new SafetensorsTensor(entry.Name, entry.DType, [.. entry.Shape], file.Bytes(entry.Name).ToArray()))];
        }

        change(metadata);
        SafetensorsWriter.Write(path, tensors, metadata);
    }

    private static void AssertRefused(TemporaryFolder folder, string path, string reason)
    {
        using var run = new SmallRun(folder.Path);
        var weights = run.Weights();
        var error = Assert.Throws<InvalidDataException>(() => run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Equal(weights, run.Weights());
        Assert.Empty(run.Losses);
    }
}
