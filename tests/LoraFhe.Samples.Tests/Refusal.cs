namespace LoraFhe.Samples.Tests;

/// <summary>How every sample refuses a wrong argument.</summary>
internal static class Refusal
{
    /// <summary>Exit code 2, nothing on standard output, and one line that names the argument and says what was expected.</summary>
    public static void AssertOneLine((int ExitCode, string Output, string Error) run, string names, string expects)
    {
        Assert.Equal(2, run.ExitCode);
        Assert.Empty(run.Output);
        var line = Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(names, line, StringComparison.Ordinal);
        Assert.Contains(expects, line, StringComparison.Ordinal);
    }
}
