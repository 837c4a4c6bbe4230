namespace LoraFhe.Benchmarks.Tests;

public sealed class StepTablesTests
{
    [Theory]
    [InlineData(576, 256, true)]
    [InlineData(768, 512, true)]
    [InlineData(128, 512, false)]
    [InlineData(576, 128, false)]
    public void Bars_are_shown_for_the_widths_and_tokens_they_speak_of(int width, int tokens, bool expected)
    {
        using var tables = new StringWriter();
        StepTables.Write(
            new StepModelReport
            {
                Model = "made-up",
                Title = "made up",
                Width = width,
                Batch = 4,
                Tokens = tokens,
                Threads = 2,
                Product = new ProductRun("Avx2", 256, width, width, 50, 50, 2),
                Rows = [new StepRow(StepReport.Torch, 1, new Spread(1, 1, 1), 1, 1), new StepRow(StepReport.Execute, 2, new Spread(2, 2, 2), 2, 2)],
            },
            fullWidth512: false,
            tables);

        Assert.Equal(expected, tables.ToString().Contains("≤ 1.25, **missed**", StringComparison.Ordinal));
    }
}
