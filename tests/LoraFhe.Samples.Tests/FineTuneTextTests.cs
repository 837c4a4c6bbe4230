using System.Text.Json;

namespace LoraFhe.Samples.Tests;

public sealed class FineTuneTextTests
{
    [Fact]
    public void A_recorded_run_reports_its_figures_and_replays_without_the_library()
    {
        using var folder = new TemporaryFolder();
        var (exitCode, output, error) = SampleProgram.FineTuneText(
            "--quick", "--steps", "3", "--batch", "2", "--length", "32", "--out", folder.At("out"), "--report", folder.At("report.json"), "--record", folder.At("record"));
        Assert.True(exitCode == 0, output + error);
        Assert.Empty(error);

        using var report = JsonDocument.Parse(File.ReadAllText(folder.At("report.json")));
        Assert.Equal("execute", Text("mode"));
        Assert.Equal(3, report.RootElement.GetProperty("losses").GetArrayLength());
        Assert.True(Number("perplexityAfter") < Number("perplexityBefore"), output);
        Assert.InRange(Number("torchPerplexityAfter") / Number("perplexityAfter"), 0.9, 1.1);
        Assert.True(Number("bytesUp") > 0 && Number("bytesDown") > 0);
        Assert.True(Number("secondsPerStep") > 0 && Number("torchSecondsPerStep") > 0);
        Assert.NotEmpty(Text("kernel"));
        Assert.True(File.Exists(folder.At("out/adapter/adapter_model.safetensors")));
        Assert.True(File.ReadAllBytes(folder.At("out/loss.png")).AsSpan(1, 3).SequenceEqual("PNG"u8));

        var (replayed, replay, replayError) = SampleProgram.Replay(folder.At("record"));
        Assert.True(replayed == 0, replay + replayError);
        Assert.EndsWith("53 of 53\n", replay.ReplaceLineEndings("\n"), StringComparison.Ordinal);

        Tamper(folder.At("record/000007.response"));
        var (tampered, found, _) = SampleProgram.Replay(folder.At("record"));
        Assert.Equal(1, tampered);
        Assert.EndsWith("52 of 53\n", found.ReplaceLineEndings("\n"), StringComparison.Ordinal);

        string Text(string name) => report.RootElement.GetProperty(name).GetString()!;
        double Number(string name) => report.RootElement.GetProperty(name).GetDouble();
    }

    [Fact]
    public void A_killed_run_goes_on_from_its_last_checkpoint_to_the_same_losses()
    {
        using var folder = new TemporaryFolder();
        string[] arguments = ["--fhe", "disable", "--steps", "30", "--batch", "1", "--length", "16", "--quick"];
        var whole = Losses([.. arguments, "--out", folder.At("whole"), "--report", folder.At("whole.json")], folder.At("whole.json"));

        using (var killed = SampleProgram.StartFineTuneText([.. arguments, "--out", folder.At("killed")]))
        {
            // The first checkpoint comes after 25 steps; the last line before it is enough to wait for.
            while (killed.StandardOutput.ReadLine() is { } line && !line.Contains("training 27/", StringComparison.Ordinal))
            {
            }

            killed.Kill(entireProcessTree: true);
            killed.WaitForExit();
        }

        var resumed = Losses([.. arguments, "--resume", "--out", folder.At("killed"), "--report", folder.At("resumed.json")], folder.At("resumed.json"));
        Assert.Equal(whole, resumed);
    }

    private static double[] Losses(string[] arguments, string report)
    {
        var (exitCode, output, error) = SampleProgram.FineTuneText(arguments);
        Assert.True(exitCode == 0, output + error);
        using var json = JsonDocument.Parse(File.ReadAllText(report));
        return [.. json.RootElement.GetProperty("losses").EnumerateArray().Select(l => l.GetDouble())];
    }

    private static void Tamper(string file)
    {
        var bytes = File.ReadAllBytes(file);
        bytes[100] ^= 1;
        File.WriteAllBytes(file, bytes);
    }
}
