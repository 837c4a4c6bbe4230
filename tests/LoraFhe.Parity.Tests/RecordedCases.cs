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
    };

    /// <summary>The names of a family's cases that meet every condition, sorted.</summary>
    /// <param name="family">A folder of <c>tests/fixtures</c>.</param>
    /// <param name="conditions">Each <c>key</c> (its <c>expected.json</c> has the key), <c>!key</c> (has it not), <c>key=text</c>, <c>key!=text</c>, or <c>*.file</c> (the case has such a
    /// file).</param>
    public static IEnumerable<string> Of(string family, params string[] conditions) =>
        Directory.EnumerateDirectories(RepositoryFolder.Fixture(family))
            .Where(folder => File.Exists(Path.Combine(folder, "expected.json")))
            .Where(folder => conditions.Length == 0 || Meets(folder, conditions))
            .Select(folder => Path.GetFileName(folder))
            .Order(StringComparer.Ordinal);

    private static bool Meets(string folder, string[] conditions)
    {
        using var golden = Golden.Open(Path.GetRelativePath(RepositoryFolder.Fixture(), folder).Replace('\\', '/'));
        var expected = golden.Expected;
        return conditions.All(condition => condition.Split('=') switch
        {
            [var key, var text] when key.EndsWith('!') => !IsText(expected, key[..^1], text),
            [var key, var text] => IsText(expected, key, text),
            [var file] when file.StartsWith("*.", StringComparison.Ordinal) => File.Exists(golden.File(file[2..])),
            [var key] when key.StartsWith('!') => !expected.Has(key[1..]),
            [var key] => expected.Has(key),
            _ => throw new ArgumentException($"'{condition}' is no condition."),
        });
    }

    private static bool IsText(GoldenJson expected, string key, string text) =>
        expected.Has(key) && expected[key].Element.ToString() == text;
}
