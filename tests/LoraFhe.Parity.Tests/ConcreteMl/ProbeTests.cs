using LoraFhe.Fixtures;

namespace LoraFhe.Parity.Tests.ConcreteMl;

/// <summary>Every corner case that was tried on the reference (<c>probes.json</c>), tried here.</summary>
public sealed class ProbeTests
{
    private static readonly GoldenJson Recorded = Read();

    [Theory]
    [Recorded(RecordedCases.ConcreteProbes)]
    public void The_outcome_is_the_recorded_one_or_the_mended_one_of_its_row(string name)
    {
        Assert.True(Probes.All.TryGetValue(name, out var probe), $"'{name}' has no counterpart in Probes.");
        probe.Check(Recorded[name]);
    }

    [Fact]
    public void No_counterpart_is_of_a_case_that_was_not_recorded() => Assert.Empty(Probes.All.Keys.Except(Recorded.Members.Select(member => member.Name)));

    [Fact]
    public void Every_difference_has_a_row_in_the_page_on_parity()
    {
        var rows = File.ReadAllLines(RepositoryFolder.At("docs", "parity.md")).Where(line => line.StartsWith('|')).ToList();
        Assert.All(Probes.All.Values.Select(probe => probe.Row).OfType<string>().Distinct(), row =>
            Assert.Contains(rows, line => line.StartsWith($"| {row}", StringComparison.Ordinal)));
    }

    private static GoldenJson Read()
    {
        using var golden = Golden.Open("concrete-ml");
        return golden.Json("probes.json");
    }
}
