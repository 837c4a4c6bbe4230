using System.Text.Json.Nodes;
using LoraFhe.Fixtures;

namespace LoraFhe.Samples.Tests;

public sealed class SoakTests
{
    private static readonly string[] ShortRun = ["--steps", "2", "--modes", "disable,execute", "--out"];

    [Theory]
    [InlineData("everything", "'everything'", "tiny-austen, smollm2 or all")]
    [InlineData("--frobnicate", "'--frobnicate'", "--help")]
    [InlineData("tiny-austen more", "'more'", "--help")]
    [InlineData("--steps 1", "--steps '1'", "a whole number from 2")]
    [InlineData("--modes torch,fly", "--modes 'fly'", "torch, disable, simulate or execute")]
    [InlineData("--models", "--models has no value", "--models DIR")]
    [InlineData("--steps 2 --steps 3", "--steps was given 2 times", "once")]
    [InlineData("smollm2", "--models", ".ci/unpack-test-models")]
    [InlineData("all --models no/such/folder", "--models '", ".ci/unpack-test-models")]
    [InlineData("--out /dev/full", "--out '/dev/full' is a file", "a folder")]
    [InlineData("--docs no/such/folder", "--docs '", "results.md")]
    public void A_wrong_argument_is_one_line_that_names_it_and_what_was_expected(string arguments, string names, string expects) =>
        Refusal.AssertOneLine(SampleProgram.Soak(arguments.Split(' ')), names, expects);

    [Fact]
    public void A_run_writes_results_tables_and_a_plot_and_what_is_finished_is_not_made_again()
    {
        using var folder = new TemporaryFolder();
        var first = SampleProgram.Soak([.. ShortRun, folder.At("out")]);
        var second = SampleProgram.Soak([.. ShortRun, folder.At("out")]);

        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
        Assert.Contains("execute: preparing", first.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("preparing", second.Output, StringComparison.Ordinal);
        var results = folder.At("out/tiny-austen");
        Assert.Contains("| loss, last step | 4.45037 | 4.45037 |", File.ReadAllText(Path.Combine(results, "tables.md")), StringComparison.Ordinal);
        Assert.StartsWith("<svg ", File.ReadAllText(Path.Combine(results, "losses.svg")), StringComparison.Ordinal);
        Assert.Equal(["disable.json", "execute.json", "model.json", "torch.json"], Directory.GetFiles(results, "*.json").Select(Path.GetFileName).Order());
    }

    [Fact]
    public void What_is_farther_from_the_recorded_than_it_may_be_is_named_and_the_exit_code_is_1()
    {
        using var folder = new TemporaryFolder();
        WriteFinished(folder, torchDistance: 2e-3, disableDistance: 1e-3, executeDistance: 5e-3);

        var (exitCode, output, _) = SampleProgram.Soak("--modes", "disable,execute", "--out", folder.At("out"));

        Assert.Equal(1, exitCode);
        Assert.Contains("DOES NOT HOLD: 3 of 4 greedy texts are equal", output, StringComparison.Ordinal);
        Assert.Contains("DOES NOT HOLD: torch mode's losses are off by 0.002", output, StringComparison.Ordinal);
        Assert.Contains("DOES NOT HOLD: execute is 0.003 from torch, disable 0.001", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Tables_and_plot_go_into_the_page_between_their_marks()
    {
        using var folder = new TemporaryFolder();
        WriteFinished(folder, torchDistance: 0, disableDistance: 1e-3, executeDistance: 1e-3);
        Directory.CreateDirectory(folder.At("docs"));
        File.WriteAllText(folder.At("docs/results.md"), "# Results\n<!-- tiny-austen -->\nold\n<!-- end -->\n<!-- smollm2 -->\nkept\n<!-- end -->\n");

        SampleProgram.Soak("--out", folder.At("out"), "--docs", folder.At("docs"));

        var page = File.ReadAllText(folder.At("docs/results.md"));
        Assert.DoesNotContain("old", page, StringComparison.Ordinal);
        Assert.Contains("# Results\n<!-- tiny-austen -->\nGreedy texts: 3 of 4", page, StringComparison.Ordinal);
        Assert.Contains("| | recorded, peft | torch | disable | simulate | execute |", page, StringComparison.Ordinal);
        Assert.EndsWith("<!-- end -->\n<!-- smollm2 -->\nkept\n<!-- end -->\n", page, StringComparison.Ordinal);
        Assert.True(File.Exists(folder.At("docs/images/tiny-austen-losses.svg")));
    }

    [Fact]
    public void A_damaged_result_is_named()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.At("out/tiny-austen"));
        File.WriteAllText(folder.At("out/tiny-austen/model.json"), "{}");

        var (exitCode, _, error) = SampleProgram.Soak("--out", folder.At("out"));

        Assert.Equal(1, exitCode);
        Assert.Contains("model.json' is no result of this program", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    /// <summary>The results of a finished run, whose losses are the recorded ones moved by a distance.</summary>
    private static void WriteFinished(TemporaryFolder folder, double torchDistance, double disableDistance, double executeDistance)
    {
        Directory.CreateDirectory(folder.At("out/tiny-austen"));
        File.WriteAllText(
            folder.At("out/tiny-austen/model.json"), """{ "Differences": [], "Texts": 4, "EqualTexts": 3, "Tokens": 9, "Perplexities": [] }""");
        using var golden = Golden.Open("lora/tiny-austen-proverbs");
        var losses = golden.Json("report.json")["losses"].AsDoubles;
        foreach (var (mode, distance) in new[] { ("Torch", torchDistance), ("Disable", disableDistance + torchDistance), ("Simulate", executeDistance), ("Execute", executeDistance) })
        {
            File.WriteAllText(folder.At($"out/tiny-austen/{mode.ToLowerInvariant()}.json"), new JsonObject
            {
                ["Mode"] = mode,
                ["Losses"] = new JsonArray([.. losses.Select(loss => JsonValue.Create(loss + distance))]),
                ["FirstGradientNorm"] = 1,
                ["PerplexityBefore"] = 2,
                ["PerplexityAfter"] = 1,
                ["EqualTextsBefore"] = 3,
                ["EqualTextsAfter"] = 3,
                ["PrepareSeconds"] = 1,
                ["StepSeconds"] = 1,
                ["StepProcessorSeconds"] = 2,
                ["Processor"] = "a processor",
                ["Kernel"] = "a kernel",
                ["Threads"] = 1,
            }.ToJsonString());
        }
    }
}
