using System.Globalization;
using System.Reflection;
using LoraFhe.Fixtures;
using Xunit.Sdk;
using Xunit.v3;

namespace LoraFhe.Parity.Tests.Tokenizers;

/// <summary>Gives a theory every recorded string of some tokenizers, as the tokenizer's name and the string's number and beginning. A theory that is skipped for want of
/// <see cref="TestModels"/> gets one row a tokenizer, so that one line says so.</summary>
/// <param name="tokenizers">The tokenizers: <c>tests/fixtures/tokenizers</c> has an <c>ids-NAME.json</c> for each.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RecordedStringsAttribute(params string[] tokenizers) : DataAttribute
{
    private const int LongestShown = 30;

    /// <summary>The tokenizers.</summary>
    public IReadOnlyList<string> Tokenizers => tokenizers;

    /// <summary>A tokenizer's recorded strings, with ids and decoded text.</summary>
    public static GoldenJson[] Of(string tokenizer)
    {
        using var golden = Golden.Open("tokenizers");
        return [.. golden.Json($"ids-{tokenizer}.json").Items];
    }

    /// <summary>The recorded string that a row means.</summary>
    public static GoldenJson At(string tokenizer, string row) => Of(tokenizer)[int.Parse(row.Split(' ')[0], CultureInfo.InvariantCulture)];

    /// <inheritdoc/>
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        ValueTask.FromResult<IReadOnlyCollection<ITheoryDataRow>>([.. IsSkipped(testMethod) ? tokenizers.Select(AllInOne) : tokenizers.SelectMany(Rows)]);

    /// <inheritdoc/>
    public override bool SupportsDiscoveryEnumeration() => true;

    private static bool IsSkipped(MethodInfo test) => !TestModels.AreThere && test.IsDefined(typeof(RealModelTheoryAttribute));

    private static TheoryDataRow<string, string> AllInOne(string tokenizer) => new(tokenizer, $"{Of(tokenizer).Length} strings");

    private static IEnumerable<TheoryDataRow<string, string>> Rows(string tokenizer) =>
        Of(tokenizer).Select((item, index) => new TheoryDataRow<string, string>(tokenizer, $"{index:00} {Shown(item["text"].AsString)}"));

    // A test's name is printed: what is no printable ASCII becomes an underscore.
    private static string Shown(string text) =>
        string.Concat(text.Take(LongestShown).Select(c => c is > ' ' and <= '~' ? c : '_'));
}
