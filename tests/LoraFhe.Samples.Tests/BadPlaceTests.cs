namespace LoraFhe.Samples.Tests;

/// <summary>Places that cannot be written, and nobody who reads.</summary>
public sealed class BadPlaceTests
{
    private const string Quick = "--fhe torch --quick --steps 3 --batch 1 --length 16";

    [Fact]
    public void A_reader_that_goes_away_does_not_end_the_run()
    {
        using var folder = new TemporaryFolder();
        var (exitCode, output, error) = SampleProgram.FromShell($"$SAMPLE {Quick} --out {folder.At("out")} | head -1; exit ${{PIPESTATUS[0]}}");
        Assert.True(exitCode == 0, output + error);
        Assert.True(File.Exists(folder.At("out/adapter/adapter_model.safetensors")));
    }

    [Fact]
    public void Nobody_to_read_from_the_beginning_neither()
    {
        using var folder = new TemporaryFolder();
        var (exitCode, output, error) = SampleProgram.FromShell($"$SAMPLE {Quick} --out {folder.At("out")} <&- >&- 2>&-");
        Assert.True(exitCode == 0, output + error);
        Assert.True(File.Exists(folder.At("out/adapter/adapter_model.safetensors")));
    }

    [Fact]
    public void A_disk_that_is_full_is_one_line_that_names_the_file_and_what_was_saved_stays()
    {
        using var folder = new TemporaryFolder();
        var first = SampleProgram.FromShell($"$SAMPLE {Quick} --rank 64 --out {folder.At("out")}");
        Assert.True(first.ExitCode == 0, first.Output + first.Error);
        var checkpoint = File.ReadAllBytes(folder.At("out/checkpoints/checkpoint_epoch_1.safetensors"));

        // A limit on a file's size fails as a full disk does, also for root: 4 MiB hold libtorch's bridge, which may be copied, but no checkpoint
        // of rank 64.
        var (exitCode, output, error) = SampleProgram.FromShell(
            $"trap '' XFSZ; ulimit -f 4096; export DOTNET_EnableWriteXorExecute=0; $SAMPLE --resume --steps 6 --out {folder.At("out")}");

        Assert.Equal(1, exitCode);
        Assert.Contains("checkpoint_epoch_2.safetensors' cannot be written", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.DoesNotContain("What came of it", output, StringComparison.Ordinal);
        Assert.Equal(checkpoint, File.ReadAllBytes(folder.At("out/checkpoints/checkpoint_epoch_1.safetensors")));
        Assert.Equal(["checkpoint_epoch_1.safetensors"], Directory.GetFiles(folder.At("out/checkpoints")).Select(file => Path.GetFileName(file)));
        Assert.Contains("Taken up after step 3 of 6", SampleProgram.FromShell($"$SAMPLE --resume --out {folder.At("out")}").Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/proc/nowhere")]
    [InlineData("/dev/null/out")]
    public void A_folder_that_cannot_be_made_is_one_line_that_names_it(string place)
    {
        var (exitCode, output, error) = SampleProgram.FromShell($"$SAMPLE {Quick} --out {place}");
        Assert.Equal(1, exitCode);
        Assert.Empty(output);
        Assert.Contains($"--out '{place}' cannot be made", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }
}
