namespace LoraFhe.Benchmarks.Tests;

public sealed class OptionTests
{
    [Theory]
    [InlineData("--models tiny,huge", "--models tiny,huge")]
    [InlineData("--model no/such/folder", "--model no/such/folder")]
    [InlineData("--what pairs,luck", "--what pairs,luck")]
    [InlineData("--tokens 510 --batch 4", "--tokens 510")]
    [InlineData("--threads 0", "--threads 0")]
    [InlineData("--layers", "--layers")]
    public void A_wrong_argument_of_step_is_one_line_that_names_it(string arguments, string names) =>
        AssertOneLine(StepOptions.Parse, arguments, names);

    [Theory]
    [InlineData("--layers 8", "--layers 8")]
    [InlineData("--largest-width 256", "--largest-width 256")]
    [InlineData("--seconds 0", "--seconds 0")]
    [InlineData("--seconds Infinity", "--seconds Infinity")]
    public void A_wrong_argument_of_growth_is_one_line_that_names_it(string arguments, string names) =>
        AssertOneLine(GrowthOptions.Parse, arguments, names);

    [Theory]
    [InlineData("--json", "--json")]
    [InlineData("--json no/such/folder/report.json", "--json no/such/folder/report.json")]
    [InlineData("--json .", "--json .")]
    [InlineData("--docs no/such/folder", "--docs no/such/folder")]
    public void A_wrong_place_for_a_report_is_one_line_that_names_it(string arguments, string names) =>
        AssertOneLine((words, error) => ReportOutput.Parse(words, error)?.Output, arguments, names);

    [Fact]
    public void Fewer_layers_are_for_models_with_random_weights_only()
    {
        var options = StepOptions.Parse(["--layers", "2", "--what", "pairs", "--tokens", "64"], TextWriter.Null)!;

        Assert.Null(options.Models[0].Config);
        Assert.Contains("\"n_layer\":2", options.Models[1].Config, StringComparison.Ordinal);
        Assert.Contains("\"num_hidden_layers\":2", options.Models[2].Config, StringComparison.Ordinal);
        Assert.Equal(["pairs"], options.What);
        Assert.Equal(64, options.Tokens);
    }

    private static void AssertOneLine<T>(Func<IReadOnlyList<string>, TextWriter, T?> parse, string arguments, string names)
        where T : class
    {
        using var error = new StringWriter();
        Assert.Null(parse(arguments.Split(' '), error));
        var text = error.ToString();
        Assert.Contains(names, text, StringComparison.Ordinal);
        Assert.Equal(text.Length - 1, text.IndexOf('\n', StringComparison.Ordinal));
    }
}
