using System.Text.RegularExpressions;
using LoraFhe.Fixtures;

namespace LoraFhe.Models.Tests;

public sealed partial class ReadmeTests
{
    [Fact]
    public void The_language_model_example_of_the_readme_is_the_compiled_one()
    {
        var source = File.ReadAllText(RepositoryFolder.At("tests", "LoraFhe.Models.Tests", "Documentation", "ReadmeExamples.cs"));
        var compiled = Unindent(Region().Match(source).Groups["code"].Value);

        Assert.Contains(compiled, File.ReadAllText(RepositoryFolder.At("README.md")), StringComparison.Ordinal);
    }

    private static string Unindent(string code) =>
        string.Join('\n', code.Split('\n').Select(line => line.StartsWith("        ", StringComparison.Ordinal) ? line[8..] : line)).Trim('\n');

    [GeneratedRegex(@"#region language-model\n(?<code>.*?)\n\s*#endregion", RegexOptions.Singleline)]
    private static partial Regex Region();
}
