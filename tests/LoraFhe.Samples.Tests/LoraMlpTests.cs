using System.Globalization;
using System.Text.RegularExpressions;

namespace LoraFhe.Samples.Tests;

public sealed class LoraMlpTests
{
    private const int Interrupt = 2;

    [Theory]
    [InlineData("execute")]
    [InlineData("torch")]
    public void Tuning_brings_the_held_out_points_of_the_second_task_and_leaves_the_base_weights(string mode)
    {
        var (exitCode, output, error) = SampleProgram.LoraMlp("--fhe", mode, "--seed", "3");

        Assert.True(exitCode == 0, output + error);
        Assert.Empty(error);
        Assert.InRange(Accuracy(output, "accuracy on held-out points"), 95, 100);
        Assert.InRange(Accuracy(output, "before"), 0, 75);
        Assert.InRange(Accuracy(output, "after"), 90, 100);
        Assert.Contains("weights are unchanged", output, StringComparison.Ordinal);
        Assert.Equal(mode == "torch", output.Contains("\n0 encrypted products", StringComparison.Ordinal));
    }

    [Fact]
    public void Equal_seeds_print_the_same_text_in_the_clear_and_others_do_not()
    {
        var first = Output("1");

        Assert.Equal(first, Output("1"));
        Assert.NotEqual(first, Output("2"));

        static string Output(string seed) => SampleProgram.LoraMlp("--fhe", "disable", "--epochs", "1", "--seed", seed).Output;
    }

    [Theory]
    [InlineData("--fhe encrypt", "--fhe 'encrypt'", "torch, disable, simulate or execute")]
    [InlineData("--epochs 0", "--epochs '0'", "1 to 10000")]
    [InlineData("--epochs 3.5", "--epochs '3.5'", "1 to 10000")]
    [InlineData("--seed -1", "--seed '-1'", "0 to 2147483647")]
    [InlineData("--seed", "--seed has no value", "--help")]
    [InlineData("--rank 4", "'--rank'", "--help")]
    public void A_wrong_argument_is_one_line_that_names_it_and_what_was_expected(string arguments, string names, string expects)
    {
        Refusal.AssertOneLine(SampleProgram.LoraMlp(arguments.Split(' ')), names, expects);
    }

    [Fact]
    public void Help_lists_every_option_and_succeeds()
    {
        var (exitCode, output, _) = SampleProgram.LoraMlp("--help");

        Assert.Equal(0, exitCode);
        Assert.All(["--fhe", "--epochs", "--seed"], option => Assert.Contains(option, output, StringComparison.Ordinal));
    }

    [Fact]
    public void Ctrl_C_stops_it_with_exit_code_130()
    {
        using var process = SampleProgram.StartLoraMlp("--epochs", "10000");
        while (process.StandardOutput.ReadLine() is { } line && !line.Contains("epoch ", StringComparison.Ordinal))
        {
        }

        SampleProgram.Signal(process, Interrupt);

        Assert.EndsWith("Stopped.\n", process.StandardOutput.ReadToEnd().ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Empty(process.StandardError.ReadToEnd());
        process.WaitForExit();
        Assert.Equal(130, process.ExitCode);
    }

    private static double Accuracy(string output, string name) =>
        double.Parse(Regex.Match(output, $@"^ +{name} +([\d.]+) %", RegexOptions.Multiline).Groups[1].Value, CultureInfo.InvariantCulture);
}
