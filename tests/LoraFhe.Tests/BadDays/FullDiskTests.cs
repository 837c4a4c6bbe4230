using LoraFhe.Fixtures;
using LoraFhe.Tests.Training;

namespace LoraFhe.Tests.BadDays;

/// <summary>Checkpoints that cannot be written. Tests run as root, too, for whom nothing is read-only: the folder is gone, or no folder any more.</summary>
public sealed class FullDiskTests
{
    [Theory]
    [InlineData("gone")]
    [InlineData("a file")]
    [InlineData("a folder in the file's place")]
    public void A_save_that_fails_while_training_is_named_and_made_up_for_when_training_goes_on(string fault)
    {
        using var folder = new TemporaryFolder();
        var checkpoints = folder.At("checkpoints");
        using var run = new SmallRun(checkpoints);
        var isBroken = false;
        var spoil = new ImmediateProgress<TrainingProgress>(done =>
        {
            if (done.GlobalStep == 10 && !isBroken)
            {
                isBroken = true;
                Break(folder, checkpoints, fault);
            }
        });

        var error = Assert.ThrowsAny<IOException>(() => run.Trainer.Train(
            run.Loader, 2, HybridFheMode.Torch, progress: spoil, cancellationToken: Cancellation.Token));

        Assert.StartsWith($"Checkpoint '{Path.Combine(checkpoints, "checkpoint_epoch_2.safetensors")}' cannot be written", error.Message, StringComparison.Ordinal);
        Assert.Contains("What was saved before is unchanged", error.Message, StringComparison.Ordinal);
        Mend(folder, checkpoints, fault);
        Assert.Equal(["checkpoint_epoch_1.safetensors"], Directory.GetFiles(checkpoints).Select(Path.GetFileName));

        run.Trainer.Train(run.Loader, 2, HybridFheMode.Torch, progress: spoil, cancellationToken: Cancellation.Token);

        using var whole = new SmallRun();
        whole.Train(HybridFheMode.Torch, 2);
        Assert.Equal(whole.Losses, run.Losses);
        Assert.Equal(whole.Weights(), run.Weights());
        using var resumed = new SmallRun(checkpoints);
        Assert.Equal((2, 14), resumed.Trainer.Compile(resumed.Inputset, cancellationToken: Cancellation.Token));
    }

    [Fact]
    public void Adapters_that_are_not_finite_are_not_saved()
    {
        using var folder = new TemporaryFolder();
        using var run = new SmallRun(folder.Path);
        run.Train(HybridFheMode.Torch, 1);
        var before = File.ReadAllBytes(folder.At("checkpoint_epoch_1.safetensors"));
        using (TorchSharp.torch.no_grad())
        {
            run.Model.TrainableParameters()[0].fill_(float.NaN);
        }

        var error = Assert.Throws<NotFiniteNumberException>(() => run.Trainer.SaveCheckpoint(1, 7));
        Assert.StartsWith("No checkpoint was written: 'base_model.model.fc1.lora_A.default.weight' has a value that is not finite", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(folder.At("checkpoint_epoch_1.safetensors")));
        Assert.Equal(["checkpoint_epoch_1.safetensors"], folder.Names());
    }

    private static void Break(TemporaryFolder folder, string checkpoints, string fault)
    {
        if (fault == "a folder in the file's place")
        {
            Directory.CreateDirectory(Path.Combine(checkpoints, "checkpoint_epoch_2.safetensors", "full"));
            return;
        }

        Directory.Move(checkpoints, folder.At("away"));
        if (fault == "a file")
        {
            File.WriteAllText(checkpoints, "");
        }
    }

    private static void Mend(TemporaryFolder folder, string checkpoints, string fault)
    {
        if (fault == "a folder in the file's place")
        {
            Directory.Delete(Path.Combine(checkpoints, "checkpoint_epoch_2.safetensors"), recursive: true);
            return;
        }

        File.Delete(checkpoints);
        Directory.Move(folder.At("away"), checkpoints);
    }
}
