using LoraFhe.Fixtures;

namespace LoraFhe.Architecture.Tests;

/// <summary>The repository's C# files, without what a build leaves.</summary>
internal static class SourceFiles
{
    public static IEnumerable<string> Below(params string[] folders) => folders
        .Select(f => RepositoryFolder.At(f))
        .Where(Directory.Exists)
        .SelectMany(f => Directory.EnumerateFiles(f, "*.cs", SearchOption.AllDirectories))
        .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            && !f.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    public static string Relative(string file) => Path.GetRelativePath(RepositoryFolder.Root, file).Replace('\\', '/');
}
