namespace LoraFhe.Samples.Tests;

public sealed class ReplayTests
{
    [Fact]
    public void What_is_no_recording_is_refused_in_one_line()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("calls.jsonl"), "{}\n");
        File.WriteAllText(folder.At("seed.hex"), new string('0', 64));
        File.WriteAllText(folder.At("model.txt"), folder.At(""));

        AssertRefused(2, "0 arguments");
        AssertRefused(2, "no calls.jsonl", folder.At("nowhere"));
        AssertRefused(1, "calls.jsonl, line 1", folder.At(""));
        File.WriteAllText(folder.At("calls.jsonl"), "");
        AssertRefused(1, "no call", folder.At(""));
        File.WriteAllText(folder.At("seed.hex"), "seed");
        AssertRefused(1, "seed.hex", folder.At(""));
    }

    private static void AssertRefused(int code, string names, params string[] arguments)
    {
        var (exitCode, output, error) = SampleProgram.Replay(arguments);
        Assert.Equal(code, exitCode);
        Assert.Empty(output);
        Assert.Contains(names, Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }
}
