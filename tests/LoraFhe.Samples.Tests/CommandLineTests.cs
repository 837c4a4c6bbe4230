namespace LoraFhe.Samples.Tests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--steps 0", "--steps '0'", "a whole number from 1 to")]
    [InlineData("--steps many", "--steps 'many'", "a whole number")]
    [InlineData("--lr fast", "--lr 'fast'", "a number")]
    [InlineData("--lr NaN", "--lr 'NaN'", "a number")]
    [InlineData("--fhe encrypt", "--fhe 'encrypt'", "torch, disable, simulate or execute")]
    [InlineData("--model no/such/folder", "--model '", "config.json")]
    [InlineData("--data no/such/file", "--data '", ".txt or .jsonl")]
    [InlineData("--steps 3 --epochs 1", "--epochs and --steps", "one of them")]
    [InlineData("--pack", "--pack was given", ".jsonl")]
    [InlineData("--fhe torch --record x", "--record", "--fhe execute")]
    [InlineData("--bits 13", "--bits '13'", "8 to 12")]
    [InlineData("--frobnicate 3", "--frobnicate", "--help")]
    [InlineData("--rank", "--rank has no value", "--rank N")]
    [InlineData("--rank 2 --rank 4", "--rank was given 2 times", "once")]
    [InlineData("--data ", "--data ''", "--data FILE")]
    [InlineData("--record ", "--record ''", "--record DIR")]
    [InlineData("--targets q_proj,,v_proj", "--targets 'q_proj,,v_proj'", "all-linear")]
    [InlineData("--report .", "--report '", "a file")]
    [InlineData("--steps 3.5", "--steps '3.5'", "a whole number")]
    [InlineData("--seed -1", "--seed '-1'", "from 0 to")]
    [InlineData("--seed 99999999999999999999", "--seed '99999999999999999999'", "a whole number")]
    [InlineData("--lr 1e400", "--lr '1e400'", "a number")]
    [InlineData("--batch 0x10", "--batch '0x10'", "a whole number")]
    [InlineData("--STEPS 3", "'--STEPS'", "--help")]
    [InlineData("steps", "'steps'", "--help")]
    [InlineData("-- --steps 3", "'--steps'", "--help")]
    [InlineData("@nowhere", "'@nowhere' is not an option", "--help")]
    [InlineData("--fhe execute torch", "'torch'", "--help")]
    [InlineData("--resume maybe", "'maybe'", "--help")]
    [InlineData("--out /dev/full --quick", "--out '/dev/full' is a file", "a folder")]
    public void A_wrong_argument_is_one_line_that_names_it_and_what_was_expected(string arguments, string names, string expects)
    {
        Refusal.AssertOneLine(SampleProgram.FineTuneText(arguments.Split(' ')), names, expects);
    }

    [Fact]
    public void Help_lists_every_option_and_succeeds()
    {
        var (exitCode, output, _) = SampleProgram.FineTuneText("--help");

        Assert.Equal(0, exitCode);
        Assert.All(
            ["--model", "--data", "--fhe", "--epochs", "--steps", "--rank", "--alpha", "--targets", "--lr", "--batch", "--length", "--pack", "--seed", "--resume", "--out", "--report", "--record"],
            option => Assert.Contains(option, output, StringComparison.Ordinal));
    }

    [Fact]
    public void A_layer_that_the_model_does_not_have_is_named_beside_those_it_has()
    {
        using var folder = new TemporaryFolder();
        var (exitCode, _, error) = SampleProgram.FineTuneText("--quick", "--targets", "c_attn", "--out", folder.At("out"));

        Assert.Equal(1, exitCode);
        var line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("'c_attn'", line, StringComparison.Ordinal);
        Assert.Contains("q_proj", line, StringComparison.Ordinal);
    }
}
