using System.Text.Json;

namespace LoraFhe.Samples.Tests;

/// <summary>Runs that end early, by whatever end, and are taken up.</summary>
public sealed class ResumeTests
{
    // Ctrl-C's own signal goes the same way, but a child of a shell's background job never gets it.
    private const int Terminate = 15;
    private const int Kill = 9;

    // The first checkpoint comes after 25 steps.
    private static readonly string[] Arguments = ["--fhe", "disable", "--steps", "30", "--batch", "1", "--length", "16", "--quick"];

    [Fact]
    public void A_run_that_was_stopped_or_killed_goes_on_to_the_same_losses_with_the_options_it_began_with()
    {
        using var folder = new TemporaryFolder();
        var whole = Losses(folder, "whole", [.. Arguments]);

        // A signal between two checkpoints loses nothing; a kill, the steps since the last one.
        Assert.Equal(143, Stopped(folder, "stopped", Terminate, "training 12/", out var output));
        Assert.Contains($"--resume --out {folder.At("stopped")}", output, StringComparison.Ordinal);
        Assert.Equal(137, Stopped(folder, "killed", Kill, "training 27/", out _));

        Assert.Equal(whole, Losses(folder, "stopped", "--resume"));
        Assert.Equal(whole, Losses(folder, "killed", "--resume"));
    }

    [Fact]
    public void Options_that_differ_from_those_the_run_began_with_are_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(143, Stopped(folder, "run", Terminate, "training 3/", out _));

        AssertRefused(2, "--rank is 4", "with 8", "--resume", "--out", folder.At("run"), "--rank", "4");
        AssertRefused(2, "--epochs is 2", "without", "--resume", "--out", folder.At("run"), "--epochs", "2");
        AssertRefused(1, "holds no run", "stopped", "--resume", "--out", folder.At("other"));

        File.WriteAllText(folder.At("run/run.json"), "{");
        AssertRefused(1, "run.json", "damaged", "--resume", "--out", folder.At("run"));
    }

    [Fact]
    public void A_new_run_in_the_folder_of_an_old_one_keeps_the_old_checkpoints_aside()
    {
        using var folder = new TemporaryFolder();
        var first = Losses(folder, "run", [.. Arguments]);
        var old = File.ReadAllBytes(folder.At("run/checkpoints/checkpoint_epoch_1.safetensors"));

        // What is refused touches nothing.
        AssertRefused(1, "'c_attn'", "q_proj", [.. Arguments, "--targets", "c_attn", "--out", folder.At("run")]);
        Assert.Equal(old, File.ReadAllBytes(folder.At("run/checkpoints/checkpoint_epoch_1.safetensors")));

        var second = Losses(folder, "run", [.. Arguments, "--seed", "2"]);
        Assert.NotEqual(first, second);
        Assert.Equal(old, File.ReadAllBytes(folder.At("run/checkpoints.previous/checkpoint_epoch_1.safetensors")));
        Assert.True(File.Exists(folder.At("run/checkpoints/checkpoint_epoch_1.safetensors")));
    }

    [Fact]
    public void A_finished_run_is_given_more_steps_and_is_the_longer_run()
    {
        using var folder = new TemporaryFolder();
        string[] longer = [.. Arguments];
        longer[3] = "40";
        var whole = Losses(folder, "whole", longer);

        Losses(folder, "short", [.. Arguments]);
        Assert.Equal(143, Stopped(folder, "short", Terminate, "training 36/", out _, "--resume", "--steps", "40"));
        Assert.Equal(whole, Losses(folder, "short", "--resume"));
        AssertRefused(2, "--steps is 30", "with 40. Expected the same, more, or no --steps", "--resume", "--out", folder.At("short"), "--steps", "30");
    }

    [Fact]
    public void Under_encryption_too_a_run_that_was_stopped_or_killed_goes_on()
    {
        using var folder = new TemporaryFolder();
        string[] encrypted = [.. Arguments];
        encrypted[1] = "execute";
        var clear = Losses(folder, "clear", [.. Arguments]);

        Assert.Equal(143, Stopped(folder, "run", Terminate, "training 12/", out _, encrypted));
        Assert.Equal(137, Stopped(folder, "run", Kill, "training 27/", out _, "--resume"));
        var losses = Losses(folder, "run", "--resume");

        // The noise of encryption, through thirty updates.
        Assert.Equal(30, losses.Length);
        Assert.All(clear.Zip(losses), pair => Assert.Equal(pair.First, pair.Second, 0.05));
    }

    [Fact]
    public void A_second_signal_ends_the_process_at_once_and_what_was_saved_stays()
    {
        using var folder = new TemporaryFolder();
        using (var process = SampleProgram.StartFineTuneText([.. Arguments, "--out", folder.At("run")]))
        {
            WaitFor(process, "training 27/");
            SampleProgram.Signal(process, Terminate);
            SampleProgram.Signal(process, Terminate);
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.Equal(143, process.ExitCode);
        }

        Assert.Equal(Losses(folder, "whole", [.. Arguments]), Losses(folder, "run", "--resume"));
    }

    [Fact]
    public void One_folder_serves_one_run_at_a_time()
    {
        using var folder = new TemporaryFolder();
        using var first = SampleProgram.StartFineTuneText([.. Arguments, "--out", folder.At("run")]);
        WaitFor(first, "LoRA of");

        AssertRefused(1, "--out", "another run", [.. Arguments, "--out", folder.At("run")]);

        Assert.Contains("What came of it", first.StandardOutput.ReadToEnd(), StringComparison.Ordinal);
    }

    private static void AssertRefused(int code, string names, string expects, params string[] arguments)
    {
        var (exitCode, output, error) = SampleProgram.FineTuneText(arguments);
        Assert.Equal(code, exitCode);
        Assert.Empty(output);
        var line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(names, line, StringComparison.Ordinal);
        Assert.Contains(expects, line, StringComparison.Ordinal);
    }

    private static int Stopped(TemporaryFolder folder, string run, int signal, string line, out string output, params string[] arguments)
    {
        using var process = SampleProgram.StartFineTuneText([.. arguments.Length > 0 ? arguments : Arguments, "--out", folder.At(run)]);
        WaitFor(process, line);
        SampleProgram.Signal(process, signal);
        output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }

    private static void WaitFor(System.Diagnostics.Process process, string text)
    {
        while (process.StandardOutput.ReadLine() is { } line && !line.Contains(text, StringComparison.Ordinal))
        {
        }
    }

    private static double[] Losses(TemporaryFolder folder, string run, params string[] arguments)
    {
        var report = folder.At($"{run}.json");
        var (exitCode, output, error) = SampleProgram.FineTuneText([.. arguments, "--out", folder.At(run), "--report", report]);
        Assert.True(exitCode == 0, output + error);
        using var json = JsonDocument.Parse(File.ReadAllText(report));
        return [.. json.RootElement.GetProperty("losses").EnumerateArray().Select(l => l.GetDouble())];
    }
}
