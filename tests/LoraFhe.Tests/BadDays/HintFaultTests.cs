using CsCheck;
using LoraFhe.Fixtures;
using LoraFhe.Tests.Training;

namespace LoraFhe.Tests.BadDays;

/// <summary>Hints on disk that are damaged, exchanged or cut while they are used.</summary>
public sealed class HintFaultTests
{
    [Fact]
    public void With_any_bit_of_a_hint_or_seed_flipped_no_step_is_ever_computed_wrongly()
    {
        using var sound = new TemporaryFolder();
        var expected = Loss(sound.Path);
        var files = sound.Names();
        Assert.Contains("public-matrix.seed", files);
        var bytes = files.ToDictionary(file => file, file => File.ReadAllBytes(sound.At(file)));

        // A third of them in a header; a flipped seed is another public matrix, which no hint of the folder was made for.
        var position = Gen.Select(Gen.OneOfConst(files), Gen.Double[0, 1], Gen.Int[0, 2], Gen.Int[0, 7]);
        position.Sample(
            (file, part, third, bit) =>
            {
                var changed = bytes[file].ToArray();
                var at = (int)(part * ((third == 0 ? Math.Min(200, changed.Length) : changed.Length) - 1));
                changed[at] ^= (byte)(1 << bit);
                Replace(sound.At(file), changed);
                var error = Record.Exception(() => Assert.Equal(expected, Loss(sound.Path), 1e-3));
                Replace(sound.At(file), bytes[file]);
                if (error is not null)
                {
                    Assert.Contains(".hint", Assert.IsType<InvalidDataException>(error).Message, StringComparison.Ordinal);
                }
                else
                {
                    // Only what fills the header's page up is not looked at.
                    Assert.InRange(at, 128, 4095);
                }
            },
            iter: 40,
            threads: 1);
    }

    [Fact]
    public void Exchanged_or_cut_hints_are_refused_by_name_and_the_cure_works()
    {
        using var folder = new TemporaryFolder();
        Loss(folder.Path);
        var one = File.ReadAllBytes(folder.At("fc2.forward.hint"));
        Replace(folder.At("fc2.forward.hint"), File.ReadAllBytes(folder.At("fc3.forward.hint")));
        Assert.Contains("fc2.forward.hint", Refused(folder), StringComparison.Ordinal);
        foreach (var length in new[] { 0, 7, 31, 63, 4095, 4096, one.Length - 1 })
        {
            Replace(folder.At("fc2.forward.hint"), one[..length]);
            Assert.Contains("fc2.forward.hint", Refused(folder), StringComparison.Ordinal);
        }

        // The cure that the messages name: delete it to have it made again.
        File.Delete(folder.At("fc2.forward.hint"));
        Loss(folder.Path);
        Assert.Equal(one, File.ReadAllBytes(folder.At("fc2.forward.hint")));
    }

    [Fact]
    public void A_seed_of_another_length_is_named()
    {
        using var folder = new TemporaryFolder();
        Loss(folder.Path);
        File.WriteAllText(folder.At("public-matrix.seed"), "short");
        Assert.Contains("public-matrix.seed' has 5 bytes; a seed has 32", Refused(folder), StringComparison.Ordinal);
    }

    [Fact]
    public void A_hint_folder_that_is_a_file_is_an_IOException()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("file", "");
        Assert.Contains(file, Assert.ThrowsAny<IOException>(() => new InProcessFheBackend(new InProcessFheOptions { HintFolder = file })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hint_that_is_cut_while_it_is_mapped_ends_the_session_not_the_process()
    {
        using var folder = new TemporaryFolder();
        using var checkpoints = new TemporaryFolder();
        Loss(folder.Path);
        using var backend = new InProcessFheBackend(new InProcessFheOptions { HintFolder = folder.Path });
        using var run = new SmallRun(checkpoints.Path, backend: backend);
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        var hint = File.ReadAllBytes(folder.At("fc3.forward.hint"));
        var cut = new ImmediateProgress<TrainingProgress>(done =>
        {
            if (done.GlobalStep == 9)
            {
                Truncate(folder.At("fc3.forward.hint"), 5000);
            }
        });

        var error = Assert.Throws<InvalidDataException>(() => run.Trainer.Train(run.Loader, 2, HybridFheMode.Execute, progress: cut, cancellationToken: Cancellation.Token));

        Assert.Contains("fc3.forward.hint", error.Message, StringComparison.Ordinal);
        Assert.Equal(9, run.Losses.Count);
        Assert.Equal(["checkpoint_epoch_1.safetensors"], checkpoints.Names());
        Assert.Contains(
            "an earlier call failed its check",
            Assert.Throws<InvalidOperationException>(() => run.Trainer.Train(run.Loader, 2, HybridFheMode.Execute, cancellationToken: Cancellation.Token)).Message,
            StringComparison.Ordinal);
        Replace(folder.At("fc3.forward.hint"), hint);
        Assert.Equal((1, 9), run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token));
        run.Trainer.Train(run.Loader, 2, HybridFheMode.Execute, cancellationToken: Cancellation.Token);
        Assert.Equal(14, run.Losses.Count);
    }

    private static double Loss(string folder)
    {
        using var backend = new InProcessFheBackend(new InProcessFheOptions { HintFolder = folder });
        using var run = new SmallRun(dropout: 0, backend: backend);
        run.Trainer.Compile(run.Inputset, cancellationToken: Cancellation.Token);
        run.Trainer.Train([run.Inputset], 1, HybridFheMode.Execute, cancellationToken: Cancellation.Token);
        return Assert.Single(run.Losses);
    }

    private static string Refused(TemporaryFolder folder) => Assert.Throws<InvalidDataException>(() => Loss(folder.Path)).Message;

    // By another file of the same name, as an editor or a copy does: what is mapped stays as it was.
    private static void Replace(string path, byte[] bytes)
    {
        File.Delete(path);
        File.WriteAllBytes(path, bytes);
    }

    // As a program does that knows nothing of .NET's locks.
    private static void Truncate(string path, long length)
    {
        using var truncate = System.Diagnostics.Process.Start("truncate", ["-s", $"{length}", path]);
        truncate.WaitForExit();
        Assert.Equal(length, new FileInfo(path).Length);
    }
}
