using System.Text.RegularExpressions;
using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

public sealed partial class ReadmeTests
{
    [Theory]
    [InlineData("language-model", "README.md")]
    [InlineData("adapters", "docs", "getting-started.md")]
    [InlineData("classifier", "docs", "getting-started.md")]
    [InlineData("chat", "docs", "getting-started.md")]
    public void An_example_is_the_compiled_one(string region, params string[] page)
    {
        var source = File.ReadAllText(RepositoryFolder.At("tests", "LoraFhe.Models.Tests", "Documentation", "ReadmeExamples.cs"));
        var compiled = Unindent(Regions().Matches(source).Single(match => match.Groups["name"].Value == region).Groups["code"].Value);

        Assert.Contains(compiled, File.ReadAllText(RepositoryFolder.At(page)), StringComparison.Ordinal);
    }

    private static string Unindent(string code) =>
        string.Join('\n', code.Split('\n').Select(line => line.StartsWith("        ", StringComparison.Ordinal) ? line[8..] : line)).Trim('\n');

    [GeneratedRegex(@"#region (?<name>[a-z-]+)\n(?<code>.*?)\n\s*#endregion", RegexOptions.Singleline)]
    private static partial Regex Regions();
}
