using CsCheck;
using LoraFhe.Fixtures;
using LoraFhe.Safetensors;
using LoraFhe.Tests.Training;

namespace LoraFhe.Tests.BadDays;

/// <summary>Checkpoints that are cut, changed, foreign or misplaced: never a wrong load, and the file is named.</summary>
public sealed class CheckpointFaultTests
{
    [Fact]
    public void Cut_anywhere_it_is_refused_by_name_and_nothing_is_loaded()
    {
        using var folder = new TemporaryFolder();
        var path = Saved(folder);
        var bytes = File.ReadAllBytes(path);
        using var run = new SmallRun(folder.Path);
        var weights = run.Weights();
        foreach (var length in CutPoints(path, bytes.Length))
        {
            File.WriteAllBytes(path, bytes[..length]);
            AssertRefused(run, path, weights);
        }

        File.WriteAllBytes(path, [.. bytes, 0]);
        AssertRefused(run, path, weights);
        File.WriteAllBytes(path, bytes);
        Assert.Equal((1, 7), run.Trainer.LoadCheckpoint(path));
    }

    [Fact]
    public void With_any_bit_flipped_it_is_refused_or_loads_exactly_what_was_saved()
    {
        using var folder = new TemporaryFolder();
        var path = Saved(folder);
        var bytes = File.ReadAllBytes(path);
        using var sound = new SmallRun(folder.Path);
        sound.Trainer.LoadCheckpoint(path);
        var (losses, weights, rate) = (sound.Losses.ToArray(), sound.Weights(), Rate(sound));
        var header = 8 + (int)BitConverter.ToInt64(bytes);

        // Half of them in the header, where more can go wrong than a hash that does not fit.
        var position = Gen.Bool.SelectMany(isHeader => Gen.Int[0, (isHeader ? header : bytes.Length) - 1]);
        Gen.Select(position, Gen.Int[0, 7]).Sample(
            (at, bit) =>
            {
                var changed = bytes.ToArray();
                changed[at] ^= (byte)(1 << bit);
                var file = folder.At($"changed-{at}-{bit}.safetensors");
                File.WriteAllBytes(file, changed);
                using var run = new SmallRun();
                var before = run.Weights();
                var error = Record.Exception(() => run.Trainer.LoadCheckpoint(file));
                if (error is null)
                {
                    Assert.Equal(losses, run.Losses);
                    Assert.Equal(weights, run.Weights());
                    Assert.Equal(rate, Rate(run));
                }
                else
                {
                    Assert.Contains(Path.GetFileName(file), Assert.IsType<InvalidDataException>(error).Message, StringComparison.Ordinal);
                    Assert.Equal(before, run.Weights());
                    Assert.Empty(run.Losses);
                }

                File.Delete(file);
            },
            iter: 200,
            threads: 1);
    }

    [Fact]
    public void With_a_hash_that_fits_but_contents_that_cannot_be_it_is_still_refused()
    {
        using var folder = new TemporaryFolder();
        var path = Saved(folder);
        var sound = CheckpointFile.Read(path);
        Checkpoint[] impossible =
        [
            sound with { Position = sound.Position with { Epoch = -1 } },
            sound with { Position = sound.Position with { GlobalStep = -7 } },
            sound with { Position = sound.Position with { EpochStep = 99 } },
            sound with { ScheduleSteps = -1 },
            sound with { SimulationPosition = -1 },
            sound with { RandomState = [1, 2, 3] },
            sound with { EpochRandomState = [] },
            sound with { Optimizer = [] },
            sound with { Optimizer = sound.Optimizer[..^9] },
            sound with { Model = [] },
        ];
        using var run = new SmallRun(folder.Path);
        var weights = run.Weights();
        foreach (var checkpoint in impossible)
        {
            CheckpointFile.Write(path, checkpoint);
            AssertRefused(run, path, weights);
        }

        CheckpointFile.Write(path, sound);
        Assert.Equal((1, 7), run.Trainer.LoadCheckpoint(path));
    }

    [Theory]
    [InlineData("folder", "No")]
    [InlineData("dangling link", "Checkpoint not found")]
    [InlineData("link to a folder", "Checkpoint not found")]
    [InlineData("empty", "is damaged or cut off")]
    [InlineData("adapter", "is no checkpoint of LoraTrainer")]
    public void What_only_bears_the_name_of_the_newest_checkpoint_is_named_or_passed_over(string kind, string says)
    {
        using var folder = new TemporaryFolder();
        Saved(folder);
        var path = folder.At("checkpoint_epoch_5.safetensors");
        switch (kind)
        {
            case "folder":
                Directory.CreateDirectory(path);
                break;
            case "dangling link":
                File.CreateSymbolicLink(path, folder.At("nowhere"));
                break;
            case "link to a folder":
                Directory.CreateDirectory(folder.At("elsewhere"));
                File.CreateSymbolicLink(path, folder.At("elsewhere"));
                break;
            case "empty":
                File.WriteAllText(path, "");
                break;
            default:
                SafetensorsWriter.Write(path, [SafetensorsTensor.FromSingles("lora_A", [1], [1f])]);
                break;
        }

        using var run = new SmallRun(folder.Path);
        var error = Record.Exception(() => run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token));
        if (error is null)
        {
            // A folder is no file: the newest file counts.
            Assert.Contains("folder", kind, StringComparison.Ordinal);
            Assert.Equal(7, run.Losses.Count);
            return;
        }

        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Empty(run.Losses);
    }

    [Fact]
    public void Names_with_numbers_beyond_all_bounds_are_no_checkpoints()
    {
        using var folder = new TemporaryFolder();
        Saved(folder);
        File.WriteAllText(folder.At($"checkpoint_epoch_{new string('9', 40)}.safetensors"), "");
        File.WriteAllText(folder.At("checkpoint_epoch_-1.safetensors"), "");
        File.WriteAllText(folder.At("checkpoint_epoch_1_step_.safetensors"), "");
        Assert.Equal(folder.At("checkpoint_epoch_1.safetensors"), CheckpointFolder.Newest(folder.Path));
        File.WriteAllText(folder.At($"checkpoint_epoch_{new string('9', 18)}.safetensors"), "");
        using var run = new SmallRun(folder.Path);
        Assert.Throws<InvalidDataException>(() => run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token));
    }

    [Fact]
    public void A_run_begun_anew_in_an_old_folder_is_resumed_not_the_old_one()
    {
        using var folder = new TemporaryFolder();
        using (var old = new SmallRun(folder.Path))
        {
            old.Trainer.Train(old.Loader, 3, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
        }

        Assert.Equal(3, folder.Names().Length);
        using (var anew = new SmallRun(folder.Path, seed: 9))
        {
            anew.Trainer.Train(anew.Loader, 1, HybridFheMode.Torch, cancellationToken: Cancellation.Token);
            Assert.Equal(2, anew.Logger.Lines.Count(line => line.EndsWith("is of another run: its name now ends in .previous.", StringComparison.Ordinal)));
        }

        Assert.Equal(
            ["checkpoint_epoch_1.safetensors", "checkpoint_epoch_2.safetensors.previous", "checkpoint_epoch_3.safetensors.previous"], folder.Names());
        using var resumed = new SmallRun(folder.Path);
        Assert.Equal((1, 7), resumed.Trainer.Compile(resumed.Inputset, cancellationToken: Cancellation.Token));
    }

    [Fact]
    public void What_a_killed_process_left_half_written_is_removed_and_what_another_is_writing_stays()
    {
        using var folder = new TemporaryFolder();
        var path = Saved(folder);
        File.WriteAllText(folder.At(".checkpoint_epoch_2.safetensors.abc.tmp"), "half");
        File.WriteAllText(folder.At(".other.tmp"), "not ours");
        using (var writing = new FileStream(folder.At(".checkpoint_epoch_3.safetensors.def.tmp"), FileMode.CreateNew, FileAccess.Write, FileShare.None))
        {
            using var run = new SmallRun(folder.Path);
            Assert.Equal((1, 7), run.Trainer.LoadCheckpoint(path));
        }

        Assert.Equal([".checkpoint_epoch_3.safetensors.def.tmp", ".other.tmp", "checkpoint_epoch_1.safetensors"], folder.Names());
    }

    private static List<int> CutPoints(string path, int length)
    {
        using var file = SafetensorsFile.Open(path);
        var data = 8 + file.HeaderLength;
        return [.. new[] { 0, 1, 7, 8, 9, data / 2, data - 1, data, data + 1, length - 1 }
            .Concat(file.Entries.SelectMany(entry => new[] { data + (int)entry.Begin, data + (int)entry.End - 1 }))
            .Where(cut => cut < length).Distinct()];
    }

    private static string Saved(TemporaryFolder folder)
    {
        using var run = new SmallRun(folder.Path);
        run.Train(HybridFheMode.Torch, epochs: 1);
        return folder.At("checkpoint_epoch_1.safetensors");
    }

    private static double Rate(SmallRun run) => run.Optimizer.ParamGroups.First().LearningRate;

    private static void AssertRefused(SmallRun run, string path, float[] weights)
    {
        Assert.Contains(path, Assert.Throws<InvalidDataException>(() => run.Trainer.LoadCheckpoint(path)).Message, StringComparison.Ordinal);
        Assert.Equal(weights, run.Weights());
        Assert.Empty(run.Losses);
    }
}
