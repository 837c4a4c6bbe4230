using System.Reflection;

namespace LoraFhe.Parity.Tests;

/// <summary>Every recorded case has a test, and none has been lost.</summary>
public sealed class CoverageTests
{
    public static TheoryData<string> Families => [.. RecordedCases.Families.Keys];

    [Theory]
    [MemberData(nameof(Families))]
    public void Every_case_that_was_recorded_is_there(string family) =>
        Assert.Equal(RecordedCases.Families[family], RecordedCases.Of(family).Count());

    [Theory]
    [MemberData(nameof(Families))]
    public void Every_case_runs_in_a_test(string family)
    {
        var tested = typeof(CoverageTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods())
            .SelectMany(method => method.GetCustomAttributes<RecordedAttribute>())
            .Where(recorded => recorded.Family == family)
            .SelectMany(recorded => recorded.Cases);

        Assert.Empty(RecordedCases.Of(family).Except(tested));
    }

    [Theory]
    [InlineData("mlp", 14)]
    [InlineData("gpt2", 13)]
    [InlineData("llama", 12)]
    [InlineData("glwe", 7)]
    public void Every_run_of_the_reference_is_there(string model, int runs) =>
        Assert.Equal(runs, RecordedCases.Of(RecordedCases.ConcreteRuns).Count(name => name.StartsWith(model + "/", StringComparison.Ordinal)));
}
