using System.Runtime.CompilerServices;

namespace LoraFhe.Fixtures;

/// <summary>Where this repository lies: fixtures and shipped models are read in place, not copied into every output folder.</summary>
public static class RepositoryFolder
{
    /// <summary>The repository's root.</summary>
    public static string Root { get; } = Find();

    /// <summary>A path below the root.</summary>
    public static string At(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>A path below <c>tests/fixtures</c>.</summary>
    public static string Fixture(params string[] parts) => Path.Combine([Root, "tests", "fixtures", .. parts]);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(Path.GetDirectoryName(ThisFile()) ?? AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "LoraFhe.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("No folder above this source file holds LoraFhe.sln.");
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
