using System.Reflection;
using System.Text.RegularExpressions;
using LoraFhe.Fixtures;

namespace LoraFhe.Architecture.Tests;

public sealed partial class HouseRulesTests
{
    private const int LongestFile = 300;
    private const int LongestKernel = 500;


    [Fact]
    public void No_source_file_is_longer_than_a_reader_wants()
    {
        var tooLong = SourceFiles.Below("src", "samples", "tools", "tests")
            .Select(f => (File: SourceFiles.Relative(f), Lines: File.ReadLines(f).Count()))
            .Where(f => f.Lines > LongestFor(f.File));
        Assert.Empty(tooLong);
    }

    [Fact]
    public void Error_and_log_texts_take_no_tensor_no_span_and_no_secret()
    {
        var methods = LoraFheAssemblies.Names.Select(LoraFheAssemblies.Load)
            .SelectMany(a => a.GetTypes())
            .Where(t => t.Name is "Errors" or "Log")
            .SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .ToList();
        Assert.NotEmpty(methods);
        foreach (var method in methods)
        {
            foreach (var parameter in method.GetParameters())
            {
                Assert.False(Carries(parameter.ParameterType), $"{method.DeclaringType!.FullName}.{method.Name} takes '{parameter.Name}', a {parameter.ParameterType.Name}");
            }
        }
    }

    [Fact]
    public void Event_ids_are_unique_named_and_used_once()
    {
        var ids = typeof(Lora).Assembly.GetType("LoraFhe.EventIds", throwOnError: true)!.GetFields().Select(f => (f.Name, Value: (int)f.GetRawConstantValue()!)).ToList();
        Assert.Equal(ids.Count, ids.Select(id => id.Value).Distinct().Count());

        var used = SourceFiles.Below("src").SelectMany(f => EventId().Matches(File.ReadAllText(f)).Select(m => m.Groups["id"].Value)).Order().ToList();
        Assert.Equal(ids.Select(id => id.Name).Order(), used);
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = File.ReadAllText(RepositoryFolder.At("LoraFhe.sln")).Replace('\\', '/');
        var projects = new[] { "src", "tests", "samples", "tools" }
            .SelectMany(f => Directory.EnumerateFiles(RepositoryFolder.At(f), "*.csproj", SearchOption.AllDirectories))
            .Select(SourceFiles.Relative);
        Assert.All(projects, p => Assert.Contains($"\"{p}\"", solution, StringComparison.Ordinal));
    }

    [Fact]
    public void Sections_of_the_docs_that_the_code_cites_exist()
    {
        var citations = SourceFiles.Below("src")
            .SelectMany(f => Citation().Matches(string.Join(' ', File.ReadLines(f).Select(l => l.Trim().TrimStart('/').Trim()))))
            .Select(m => (File: m.Groups["file"].Value, Section: m.Groups["section"].Value))
            .Distinct()
            .ToList();
        Assert.NotEmpty(citations);
        Assert.All(citations, c => Assert.Contains(
            File.ReadLines(RepositoryFolder.At("docs", c.File)), line => line.StartsWith('#') && line.TrimStart('#').Trim() == c.Section));
    }

    private static int LongestFor(string file) =>
        file.Contains("Kernel", StringComparison.Ordinal) ? LongestKernel : LongestFile;

    private static bool Carries(Type type) =>
        type.IsByRefLike || type.IsArray
        || type.FullName!.StartsWith("TorchSharp", StringComparison.Ordinal)
        || type.Name.Contains("Secret", StringComparison.Ordinal)
        || type.Name.Contains("Memory", StringComparison.Ordinal)
        || type == typeof(float) || type == typeof(ReadOnlyMemory<float>);

    [GeneratedRegex(@"docs/(?<file>[a-z-]+\.md), (?<section>[A-Z][A-Za-z ]+[a-z])")]
    private static partial Regex Citation();

    [GeneratedRegex(@"LoggerMessage\((EventIds\.)?(?<id>\w+)")]
    private static partial Regex EventId();
}
