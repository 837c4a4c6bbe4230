using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace LoraFhe.Parity.Tests;

/// <summary>Runs a theory once for each recorded case of a family; the case's name is its first argument and stands in the test's name.</summary>
/// <param name="family">A folder of <c>tests/fixtures</c>.</param>
/// <param name="conditions">As <see cref="RecordedCases.Of"/> takes them; none: every case.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class RecordedAttribute(string family, params string[] conditions) : DataAttribute
{
    /// <summary>The family.</summary>
    public string Family => family;

    /// <summary>The cases that the theory runs with.</summary>
    public IEnumerable<string> Cases => RecordedCases.Of(family, conditions);

    /// <inheritdoc/>
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        ValueTask.FromResult<IReadOnlyCollection<ITheoryDataRow>>([.. Cases.Select(name => new TheoryDataRow<string>(name))]);

    /// <inheritdoc/>
    public override bool SupportsDiscoveryEnumeration() => true;
}
