using LoraFhe.Fixtures;

namespace LoraFhe.Parity.Tests;

/// <summary>The recorded cases below <c>tests/fixtures</c>, by family: what there is to be equal to.</summary>
internal static class RecordedCases
{
    /// <summary>The families and how many cases each was recorded with: a case that gets lost is noticed.</summary>
    public static readonly IReadOnlyDictionary<string, int> Families = new Dictionary<string, int>
    {
        ["models"] = 27,
        ["adapters"] = 50,
        ["adapters-broken"] = 40,
        ["trajectories"] = 55,
        [ConcreteModels] = 4,
        [ConcreteRuns] = 46,
        [ConcreteUnits] = 5,
        [ConcreteProbes] = 73,
    };

    /// <summary>The models that the reference was run on: <c>mlp</c>, <c>gpt2</c>, <c>llama</c>, <c>glwe</c>.</summary>
    public const string ConcreteModels = "concrete-ml/models";

    /// <summary>Its runs: <c>mlp/torch_skip1_ce_sgd</c>.</summary>
    public const string ConcreteRuns = "concrete-ml/runs";

    /// <summary>The forms of its linear layer.</summary>
    public const string ConcreteUnits = "concrete-ml/units";

    /// <summary>The corner cases that were tried on it.</summary>
    public const string ConcreteProbes = "concrete-ml/probes";

    /// <summary>The names of a family's cases that meet every condition, sorted.</summary>
    /// <param name="family">A folder of <c>tests/fixtures</c>, or a part of <c>concrete-ml</c>.</param>
    /// <param name="conditions">Each <c>key</c> (what was recorded of the case has the key; <c>outer.inner</c> goes deeper), <c>!key</c> (has it not), <c>key=text</c>,
    /// <c>key!=text</c>, or <c>*.file</c> (the case has such a file).</param>
    public static IEnumerable<string> Of(string family, params string[] conditions) =>
        All(family).Where(recorded => conditions.All(recorded.Meets)).Select(recorded => recorded.Name).Order(StringComparer.Ordinal);

    private static IEnumerable<RecordedCase> All(string family) => family switch
    {
        ConcreteModels => Folders("concrete-ml", "case.json"),
        ConcreteRuns => Folders("concrete-ml", "case.json").SelectMany(model =>
            Directory.EnumerateFiles(RepositoryFolder.Fixture("concrete-ml", model.Name, "runs"), "*.json")
                .Select(file => RecordedCase.OfFile($"{model.Name}/{Path.GetFileNameWithoutExtension(file)}", file))),
        ConcreteUnits => Members("units/custom_linear.json"),
        ConcreteProbes => Members("probes.json"),
        _ => Folders(family, "expected.json"),
    };

    private static IEnumerable<RecordedCase> Folders(string family, string file) =>
        Directory.EnumerateDirectories(RepositoryFolder.Fixture(family.Split('/')))
            .Select(folder => RecordedCase.OfFile(Path.GetFileName(folder), Path.Combine(folder, file)))
            .Where(recorded => File.Exists(recorded.File));

    private static IEnumerable<RecordedCase> Members(string file)
    {
        using var golden = Golden.Open("concrete-ml");
        return [.. golden.Json(file).Members.Select(member => new RecordedCase(member.Name, golden.File(file), new Lazy<GoldenJson>(member.Value)))];
    }
}
